import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { VirError } from '@covirt/core'
import { type Container, setFrozen, watchPidfd } from '../native.js'
import { cgroupMounts } from './host-facts.js'
import { processIdentity } from './processes.js'

const sigkill = 9
const emptyMs = 2000

/** The control groups of one container, by name, which are directly below the root of each hierarchy. */
export interface ControlGroups {
  /** Of all that runs in the container. */
  readonly payload: string
  /** Of liblxc's process that watches over it. */
  readonly monitor: string
}

/**
 * Names that no other container has: not one of another lxcpath with the same name, as liblxc's own names would
 * be, and not one whose name ends in the number that liblxc appends then.
 */
export function controlGroupsOf({ path, name }: Container): ControlGroups {
  const place = createHash('sha256').update(path).digest('hex').slice(0, 8)
  return { payload: `lxc.payload.${name}.${place}`, monitor: `lxc.monitor.${name}.${place}` }
}

/**
 * Removes these groups from all hierarchies, and waits a while for processes in them to end: the program that has
 * started a container is in the monitor's until it ends itself. `OPERATION_FAILED` where one of them stays. On the spot, as there
 * are dozens of directories to look for, of which hardly any is there: a turn of the thread pool takes a hundred times as long as
 * the kernel's answer.
 */
export async function removeControlGroups({ payload, monitor }: ControlGroups): Promise<void> {
  const mounts = new Set(cgroupMounts(readFileSync('/proc/self/mountinfo', 'utf8')).values())
  let left = [...mounts].flatMap((mount) => [join(mount, payload), join(mount, monitor)])
  for (const deadline = Date.now() + emptyMs; ; await delay(2)) {
    left = left.filter((group) => !removeTree(group))
    const [first] = left
    if (first === undefined) return
    if (Date.now() > deadline) throw inUse(first)
  }
}

function inUse(group: string): VirError {
  return new VirError(
    'OPERATION_FAILED',
    `The control group ${group} is in use by a process that is not the container's`,
    {
      domain: 'LXC',
      hint: `Its cgroup.procs say by which; end that, or move it to another group`,
    },
  )
}

/** Whether nothing is left of it. */
function removeTree(directory: string): boolean {
  if (isRemoved(directory)) return true
  for (const child of childrenOf(directory)) removeTree(join(directory, child))
  return isRemoved(directory)
}

function isRemoved(directory: string): boolean {
  try {
    rmdirSync(directory)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
  }
}

function childrenOf(directory: string): string[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  } catch {
    return []
  }
}

/** Kills all processes in these groups, frozen or stopped ones too, and resolves once none of them runs. */
export async function killMembers(groups: ControlGroups): Promise<void> {
  for (;;) {
    const members = await membersOf(groups)
    if (members.length === 0) return
    const ends = members.map((pid) => killMember(pid, groups))
    // The freezer of version 1 keeps even killed processes.
    await Promise.all(members.map((pid) => setFrozen(pid, false).catch(() => {})))
    await Promise.all(ends)
  }
}

/** A number that is another process's by now is not a member's. */
function killMember(pid: number, groups: ControlGroups): Promise<void> {
  return new Promise((resolve) => {
    try {
      const watch = watchPidfd(pid, resolve)
      if (isMember(pid, groups)) return watch.kill(sigkill)
      watch.close()
    } catch {
      // It has ended.
    }
    resolve()
  })
}

async function membersOf(groups: ControlGroups): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry)).map(Number)
  return pids.filter((pid) => isMember(pid, groups) && processIdentity(pid)?.alive)
}

/** Not what is in a container inside of another one, whose groups may have these very names. */
function isMember(pid: number, { payload, monitor }: ControlGroups): boolean {
  try {
    return outermostGroups(readFileSync(`/proc/${pid}/cgroup`, 'utf8')).some(
      (group) => group === payload || group === monitor,
    )
  } catch {
    return false
  }
}

/**
 * liblxc's groups in which a process is, by the text of its `/proc/PID/cgroup` (cgroups(7)): for each hierarchy the
 * name of that closest to the root.
 */
export function outermostGroups(membership: string): string[] {
  return membership.split('\n').flatMap((line) => /\/(lxc\.(?:payload|monitor)\.[^/]*)/.exec(line)?.[1] ?? [])
}
