import { readFile } from 'node:fs/promises'
import {
  type BlockStatistics,
  type CallOptions,
  type DomainStatistics,
  type InterfaceStatistics,
  type MemoryStatistics,
  type StatisticsOptions,
  statisticsParts,
  type VcpuStatistics,
} from '@covirt/core'
import { readInterfaceStatistics } from '@covirt/local'
import { hasBalloon } from '../command-line/small-devices.js'
import { balloonKibOf } from '../guest-status.js'
import type { GuestHandle } from '../qemu-guest.js'
import { isObject, type JsonObject } from '../qmp/qmp-message.js'

/** The kernel's clock ticks a second (proc(5): USER_HZ), in nanoseconds. */
const tickNs = 10_000_000n

/** As `StatisticsRole.getStatistics`. */
export async function readStatistics(
  guest: GuestHandle,
  { parts = statisticsParts, signal }: StatisticsOptions,
): Promise<DomainStatistics> {
  const options = { signal }
  const [blocks, interfaces, vcpus, memory] = await Promise.all([
    parts.includes('blocks') ? readBlocks(guest, options) : undefined,
    parts.includes('interfaces') ? readInterfaces(guest) : undefined,
    parts.includes('vcpus') ? readVcpus(guest, options) : undefined,
    parts.includes('memory') ? readMemory(guest, options) : undefined,
  ])
  return {
    ...(blocks && { blocks }),
    ...(interfaces && { interfaces }),
    ...(vcpus && { vcpus }),
    ...(memory && { memory }),
  }
}

async function readBlocks(
  { monitor, document }: GuestHandle,
  options: CallOptions,
): Promise<BlockStatistics[]> {
  const { disks } = document.devices
  if (disks.length === 0) return []
  const [counted, drives] = await Promise.all([
    monitor.execute('query-blockstats', {}, options),
    monitor.execute('query-block', {}, options),
  ])
  return disks.flatMap((disk) => {
    const own = listOf(counted).find((each) => isOf(each.qdev, disk.alias))
    if (!own) return []
    const stats = objectOf(own.stats)
    const drive = listOf(drives).find((each) => isOf(each.qdev, disk.alias))
    const image = objectOf(objectOf(drive?.inserted).image)
    const size = (value: unknown) => (typeof value === 'number' ? BigInt(value) : undefined)
    const path =
      disk.type === 'file' ? disk.source?.file : disk.type === 'block' ? disk.source?.dev : undefined
    return {
      target: disk.target.dev,
      path,
      readRequests: count(stats.rd_operations),
      writeRequests: count(stats.wr_operations),
      flushRequests: count(stats.flush_operations),
      readBytes: count(stats.rd_bytes),
      writeBytes: count(stats.wr_bytes),
      readTimeNs: count(stats.rd_total_time_ns),
      writeTimeNs: count(stats.wr_total_time_ns),
      flushTimeNs: count(stats.flush_total_time_ns),
      capacityBytes: size(image['virtual-size']),
      allocationBytes: size(image['actual-size']),
      physicalBytes: size(objectOf(objectOf(own.parent).stats).wr_highest_offset),
    }
  })
}

/** QEMU names a device by its id, or by the path of a part of it. */
function isOf(qdev: unknown, alias: string | undefined): boolean {
  return typeof qdev === 'string' && alias !== undefined && qdev.split('/').includes(alias)
}

async function readInterfaces({ plan: { taps } }: GuestHandle): Promise<InterfaceStatistics[]> {
  // What the host has received there, the guest has sent.
  const found = await Promise.all(taps.map(({ name }) => readInterfaceStatistics(name, { turned: true })))
  return found.filter((each) => each !== undefined)
}

async function readVcpus({ monitor, pid }: GuestHandle, options: CallOptions): Promise<VcpuStatistics[]> {
  const answer = listOf(await monitor.execute('query-cpus-fast', {}, options))
  const vcpus = answer.map(async (each) => {
    const number = Number(each['cpu-index'])
    const thread = await readThread(pid, Number(each['thread-id']))
    return { number, state: 'running' as const, timeNs: 0n, ...thread }
  })
  return Promise.all(vcpus)
}

/** Of one thread (proc_pid_stat(5)): the fields after the name, which may hold anything, begin with the third. */
async function readThread(
  pid: number,
  thread: number,
): Promise<{ readonly timeNs: bigint; readonly hostCpu: number } | undefined> {
  const stat = await readFile(`/proc/${pid}/task/${thread}/stat`, 'latin1').catch(() => undefined)
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (!fields || fields.length < 37) return undefined
  const field = (position: number) => BigInt(fields[position - 3] ?? '0')
  return { timeNs: (field(14) + field(15)) * tickNs, hostCpu: Number(field(39)) }
}

async function readMemory(
  { monitor, pid, plan, document }: GuestHandle,
  options: CallOptions,
): Promise<MemoryStatistics> {
  const [actual, residentKib, told] = await Promise.all([
    balloonKibOf(plan, monitor, options),
    readResidentKib(pid),
    hasBalloon(document.devices.memballoon) ? readBalloon(monitor, options) : undefined,
  ])
  return { actualKib: BigInt(actual), residentKib, ...told }
}

async function readResidentKib(pid: number): Promise<bigint | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '')
  const resident = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]
  return resident === undefined ? undefined : BigInt(resident)
}

/** What the guest's own driver of the balloon has told last; nothing where it has not. */
async function readBalloon(
  monitor: GuestHandle['monitor'],
  options: CallOptions,
): Promise<Partial<MemoryStatistics>> {
  const answer = await monitor
    .execute('qom-get', { path: '/machine/peripheral/balloon0', property: 'guest-stats' }, options)
    .catch(() => undefined)
  const stats = objectOf(objectOf(answer).stats)
  const updated = Number(objectOf(answer)['last-update'] ?? 0)
  if (updated === 0) return {}
  // What is not known is -1, which JavaScript reads as a number far too large.
  const value = (name: string, unit: bigint) => {
    const told = stats[name]
    return typeof told === 'number' && told >= 0 && told < 2 ** 62 ? BigInt(told) / unit : undefined
  }
  return {
    swappedInKib: value('stat-swap-in', 1024n),
    swappedOutKib: value('stat-swap-out', 1024n),
    majorFaults: value('stat-major-faults', 1n),
    minorFaults: value('stat-minor-faults', 1n),
    unusedKib: value('stat-free-memory', 1024n),
    availableKib: value('stat-total-memory', 1024n),
    usableKib: value('stat-available-memory', 1024n),
    diskCachesKib: value('stat-disk-caches', 1024n),
    updatedAt: BigInt(updated),
  }
}

function listOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {}
}

function count(value: unknown): bigint {
  return typeof value === 'number' && value >= 0 ? BigInt(Math.trunc(value)) : 0n
}
