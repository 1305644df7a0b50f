import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { VirError } from '@covirt/core'
import type { ConfigLine } from '../config/config-lines.js'
import { containerCgroups } from '../native.js'

/** One value of a control group. */
interface Setting {
  /** What tells it from others: the file, and the device where it is one of several in there. */
  readonly key: string
  readonly file: string
  readonly isLegacy: boolean
  readonly value: string
}

/** What is written where a limit is no more. */
const withoutLimit: Readonly<Record<string, string>> = {
  'memory.limit_in_bytes': '-1',
  'memory.soft_limit_in_bytes': '-1',
  'memory.memsw.limit_in_bytes': '-1',
  'memory.max': 'max',
  'memory.high': 'max',
  'memory.swap.max': 'max',
  'cpu.shares': '1024',
  'cpu.cfs_period_us': '100000',
  'cpu.cfs_quota_us': '-1',
  'cpu.weight': '100',
  'cpu.max': 'max 100000',
  'blkio.bfq.weight': '100',
  'io.weight': 'default 100',
  'io.bfq.weight': 'default 100',
  'pids.max': 'max',
}

const perDevice = /^blkio\.(throttle\..*|bfq\.weight)_device$|^io\.(max|weight|bfq\.weight)$/
const allOfDevice = 'rbps=max wbps=max riops=max wiops=max'

/**
 * Changes the limits of the container with this init from what `from` says, in the words of lxc.container.conf(5), to
 * what `to` says: all of them or none. `OPERATION_FAILED` where more memory is in use than is to be left.
 */
export async function changeLimits(
  initPid: number,
  from: readonly ConfigLine[],
  to: readonly ConfigLine[],
): Promise<void> {
  const { done, errors } = await writeAll(await changesOf(initPid, from, to))
  if (errors.length === 0) return
  for (const { path, undo } of done.toReversed()) await write(path, undo).catch(() => {})
  throw errors[0]
}

/** As {@link changeLimits}, but each that can be changed is; what comes of the others. */
export async function restoreLimits(
  initPid: number,
  from: readonly ConfigLine[],
  to: readonly ConfigLine[],
): Promise<readonly unknown[]> {
  const { errors } = await writeAll(await changesOf(initPid, from, to))
  return errors
}

interface Change {
  readonly path: string
  readonly value: string
  readonly undo: string
}

async function changesOf(
  initPid: number,
  from: readonly ConfigLine[],
  to: readonly ConfigLine[],
): Promise<readonly Change[]> {
  const groups = await containerCgroups(initPid)
  const [before, after] = [settingsOf(from), settingsOf(to)]
  const changes: Change[] = []
  for (const setting of new Map([...before, ...after]).values()) {
    const [old, wanted] = [before.get(setting.key), after.get(setting.key)]
    if (old?.value === wanted?.value) continue
    const directory = groups.get(setting.isLegacy ? (setting.file.split('.')[0] ?? '') : '')
    if (directory === undefined) throw unsupported(setting.file)
    const none = await noLimit(setting, directory)
    const path = join(directory, setting.file)
    changes.push({ path, value: wanted?.value ?? none, undo: old?.value ?? none })
  }
  return changes
}

/** Some limits may only be changed after others, as memory is below memory and swap: each that can be is. */
async function writeAll(
  changes: readonly Change[],
): Promise<{ readonly done: readonly Change[]; readonly errors: readonly unknown[] }> {
  const done: Change[] = []
  let left = changes
  for (;;) {
    const failed: { readonly change: Change; readonly error: unknown }[] = []
    for (const change of left) {
      try {
        await write(change.path, change.value)
        done.push(change)
      } catch (error) {
        failed.push({ change, error })
      }
    }
    if (failed.length === left.length) return { done, errors: failed.map(({ error }) => error) }
    left = failed.map(({ change }) => change)
  }
}

async function write(path: string, value: string): Promise<void> {
  if (path.endsWith('/memory.max')) await makeRoom(path, value)
  try {
    await writeFile(path, value)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // The latter is said of a disk whose scheduler knows no weights.
    if (code === 'ENOENT' || code === 'ENOTSUP') throw unsupported(path.slice(path.lastIndexOf('/') + 1))
    if (code === 'EBUSY') throw tooMuchUsed(value)
    throw error
  }
}

/**
 * Version 2 ends processes where a limit is below what is used. `memory.high` has the kernel take back what it can
 * (Documentation/admin-guide/cgroup-v2.rst).
 */
async function makeRoom(path: string, value: string): Promise<void> {
  const used = async () => Number(await readFile(path.replace(/max$/, 'current'), 'utf8'))
  if (value === 'max' || (await used()) <= Number(value)) return
  const high = path.replace(/max$/, 'high')
  const before = (await readFile(high, 'utf8')).trim()
  await writeFile(high, value)
  const isEnough = (await used()) <= Number(value)
  await writeFile(high, before)
  if (!isEnough) throw tooMuchUsed(value)
}

/** What is written to a file of this control group where there is no limit. */
async function noLimit({ key, file, isLegacy }: Setting, directory: string): Promise<string> {
  const device = key.slice(file.length)
  if (file === 'io.max') return `${device} ${allOfDevice}`
  if (/weight/.test(file) && device !== '') return `${device} default`
  // All that the group above has: version 2 says so with an empty line.
  if (file === 'cpuset.cpus') return isLegacy ? readFile(join(directory, '..', file), 'utf8') : '\n'
  return withoutLimit[file] ?? `${device} 0`
}

function settingsOf(lines: readonly ConfigLine[]): ReadonlyMap<string, Setting> {
  return new Map(
    lines.map(([line, value]): [string, Setting] => {
      const [, version = '', file = ''] = /^lxc\.(cgroup2?)\.(.*)$/.exec(line) ?? []
      const [device = '', ...rest] = perDevice.test(file) ? value.split(' ') : []
      const key = `${file}${device === 'default' ? '' : device}`
      // What is not named there stays as it was.
      const whole = file === 'io.max' ? [device, allOfDevice, ...rest].join(' ') : value
      return [key, { key, file, isLegacy: version === 'cgroup', value: whole }]
    }),
  )
}

function unsupported(file: string): VirError {
  return new VirError('OPERATION_UNSUPPORTED', `This host has no ${file} for containers`, {
    domain: 'LXC',
    hint: 'See /proc/cgroups; weights of disks need the scheduler BFQ',
  })
}

function tooMuchUsed(bytes: string): VirError {
  return new VirError('OPERATION_FAILED', `The container uses more than ${bytes} bytes of memory`, {
    domain: 'LXC',
    hint: 'Leave it more, or end something in it first',
  })
}
