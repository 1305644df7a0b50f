import { readFileSync, writeFileSync } from 'node:fs'
import { readFile, rmdir, writeFile } from 'node:fs/promises'
import { basename, join, relative } from 'node:path'
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises'
import type { Options } from './container.js'
import { LxcError, toLxcError } from './lxc-error.js'

const POLL_MS = 1
/** How many times it is looked at again at once: most containers stand still in less than a timer takes. */
const QUICK_LOOKS = 50
const FREEZE_TIMEOUT_MS = 10_000

/**
 * The cgroup directories of the container with this init: by controller (`memory`, `cpu`, …) in the hierarchies of
 * version 1, `name=systemd` and the like, and under the empty name in the unified one (cgroups(7)). An init that
 * moved itself further down, as systemd does, changes nothing. `ENOENT` once init has ended.
 */
export async function containerCgroups(initPid: number): Promise<ReadonlyMap<string, string>> {
  try {
    // On the spot: the kernel answers in microseconds, and a turn of the thread pool takes a hundred times as long.
    const membership = readFileSync(`/proc/${initPid}/cgroup`, 'utf8')
    // Of a process that is going, version 1 tells the root: there all of the host would be meant.
    if (isExiting(readFileSync(`/proc/${initPid}/stat`, 'utf8')))
      throw Object.assign(new Error(`process ${initPid} has ended`), { code: 'ENOENT' })
    return cgroupsIn(membership, knownMounts(membership))
  } catch (error) {
    throw toLxcError(error, 'containerCgroups')
  }
}

/** When the process of this number began, in clock ticks since boot; `undefined` where there is none. */
export function processStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}

/** PF_EXITING, in the flags (field 9) of a `/proc/PID/stat`; the name in parentheses may hold anything. */
function isExiting(stat: string): boolean {
  const flags = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[6]
  return (Number(flags) & 0x4) !== 0
}

/**
 * The first process that is moved between cgroups in a while waits until the kernel knows that no process is being forked
 * anywhere: ten milliseconds and more. Those after it do not. Called as soon as a container is to be started, this moves our
 * process to where it is already while all is made ready; liblxc's own moves find that done. Never rejects.
 */
export async function beginMoves(): Promise<void> {
  const membership = readFileSync('/proc/self/cgroup', 'utf8')
  const [own] = cgroupsIn(membership, knownMounts(membership)).values()
  // An ordinary user may not, nor can he move what he starts.
  if (own !== undefined) await writeFile(join(own, 'cgroup.procs'), '0', { flag: 'r+' }).catch(() => {})
}

/** {@link containerCgroups} from the content of `/proc/PID/cgroup` and `/proc/self/mountinfo`. */
export function findCgroups(membership: string, mountinfo: string): ReadonlyMap<string, string> {
  return cgroupsIn(membership, cgroupMounts(mountinfo))
}

function cgroupsIn(
  membership: string,
  mounts: ReadonlyMap<string, CgroupMount>,
): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const line of membership.split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
    if (controllers === undefined || path === undefined) continue
    for (const controller of controllers.split(',')) {
      const mount = mounts.get(controller)
      if (mount) found.set(controller, join(mount.point, relative(mount.root, ofContainer(path))))
    }
  }
  return found
}

let known: { readonly hierarchies: string; readonly mounts: ReadonlyMap<string, CgroupMount> } | undefined

/** Where this host has the hierarchies that `membership` names; a list of mounts is long where there are many containers. */
function knownMounts(membership: string): ReadonlyMap<string, CgroupMount> {
  const hierarchies = membership.replace(/:\/.*$/gm, '')
  if (known?.hierarchies === hierarchies) return known.mounts
  const mounts = cgroupMounts(readFileSync('/proc/self/mountinfo', 'utf8'))
  // One that is not mounted anywhere may be later on.
  const names = hierarchies.split('\n').filter((line) => line !== '')
  const areAllKnown = names.every((line) => mounts.has(line.replace(/^\d+:/, '').split(',')[0] ?? ''))
  if (areAllKnown) known = { hierarchies, mounts }
  return mounts
}

/** Removes those cgroups of a process that are a monitor's and empty by now; `membership` as in {@link findCgroups}. */
export async function removeMonitorCgroups(membership: string): Promise<void> {
  const cgroups = findCgroups(membership, await readFile('/proc/self/mountinfo', 'utf8'))
  for (const directory of new Set(cgroups.values())) {
    // One that is not empty is in use by a container of the same name.
    if (basename(directory).startsWith('lxc.monitor.')) await rmdir(directory).catch(() => {})
  }
}

/**
 * Freezes or thaws all processes of the container with this init, and resolves when that took. liblxc's own freeze
 * takes a second on version 1; on the other hand its `state` does not notice this one: ask {@link isFrozen}.
 * Where the processes cannot be frozen within ten seconds they are thawed again: `ETIMEDOUT`.
 */
export async function setFrozen(initPid: number, frozen: boolean, options: Options = {}): Promise<void> {
  try {
    const freezer = await freezerOf(initPid)
    freezer.set(frozen)
    const deadline = Date.now() + FREEZE_TIMEOUT_MS
    try {
      for (let looks = 0; freezer.get() !== frozen; looks++) {
        options.signal?.throwIfAborted()
        if (Date.now() > deadline) throw timeout()
        await (looks < QUICK_LOOKS ? turn() : delay(POLL_MS))
      }
    } catch (error) {
      freezer.set(!frozen)
      throw error
    }
  } catch (error) {
    throw options.signal?.aborted ? error : toLxcError(error, 'setFrozen')
  }
}

/** Asks for a freeze or a thaw of the container with this init, and waits for nothing. */
export async function askFrozen(initPid: number, frozen: boolean): Promise<void> {
  const freezer = await freezerOf(initPid)
  freezer.set(frozen)
}

/** Whether all processes of the container with this init are frozen. */
export async function isFrozen(initPid: number): Promise<boolean> {
  try {
    const freezer = await freezerOf(initPid)
    return freezer.get()
  } catch (error) {
    throw toLxcError(error, 'isFrozen')
  }
}

interface Freezer {
  get(): boolean
  set(frozen: boolean): void
}

async function freezerOf(initPid: number): Promise<Freezer> {
  const cgroups = await containerCgroups(initPid)
  const legacy = cgroups.get('freezer')
  const unified = cgroups.get('')
  if (legacy !== undefined) {
    const file = join(legacy, 'freezer.state')
    return {
      get: () => readFileSync(file, 'utf8') === 'FROZEN\n',
      set: (frozen) => writeFileSync(file, frozen ? 'FROZEN' : 'THAWED'),
    }
  }
  if (unified !== undefined) {
    return {
      get: () => /^frozen 1$/m.test(readFileSync(join(unified, 'cgroup.events'), 'utf8')),
      set: (frozen) => writeFileSync(join(unified, 'cgroup.freeze'), frozen ? '1' : '0'),
    }
  }
  throw new LxcError('setFrozen failed: this system has no freezer cgroup', { operation: 'setFrozen' })
}

function timeout(): LxcError {
  return new LxcError('setFrozen failed: the processes do not freeze', {
    operation: 'setFrozen',
    code: 'ETIMEDOUT',
  })
}

/** liblxc's own directory in a path that may go on below it. */
function ofContainer(path: string): string {
  return /^(.*\/lxc\.payload[^/]*)/.exec(path)?.[1] ?? path
}

interface CgroupMount {
  readonly root: string
  readonly point: string
}

/** mountinfo lines (proc_pid_mountinfo(5)): `… root point options [tags] - type source super-options`. */
function cgroupMounts(mountinfo: string): ReadonlyMap<string, CgroupMount> {
  const mounts = new Map<string, CgroupMount>()
  for (const line of mountinfo.split('\n')) {
    const [left = '', right = ''] = line.split(' - ')
    const [, , , root = '/', point = ''] = left.split(' ')
    const [type, , superOptions = ''] = right.split(' ')
    if (type === 'cgroup2') mounts.set('', { root, point })
    if (type !== 'cgroup') continue
    for (const option of superOptions.split(',')) {
      // Other options (rw, xattr) are no controllers; nobody asks for them.
      if (!mounts.has(option)) mounts.set(option, { root, point })
    }
  }
  return mounts
}
