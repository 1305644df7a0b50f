import type { DomainInput } from '@covirt/xml'
import type { NativeLines } from './native-lines.js'

/** What a native configuration limits. */
interface NativeTuning {
  readonly memoryKib: bigint | undefined
  readonly maxProcesses: number | undefined
  readonly elements: Pick<DomainInput, 'memtune' | 'cputune' | 'numatune' | 'vcpu' | 'clock' | 'blkiotune'>
}

/** The limits, in the words of either version of control groups; where both are there, those of version 2. */
export function nativeTuning(lines: NativeLines): NativeTuning {
  const value = (legacy: string | undefined, unified: string) => {
    const old = legacy === undefined ? undefined : lines.last(`lxc.cgroup.${legacy}`)
    return lines.last(`lxc.cgroup2.${unified}`) ?? old
  }
  const hard = kibOf(value('memory.limit_in_bytes', 'memory.max'))
  const soft = kibOf(value('memory.soft_limit_in_bytes', 'memory.high'))
  const both = kibOf(lines.last('lxc.cgroup.memory.memsw.limit_in_bytes'))
  const swap = kibOf(lines.last('lxc.cgroup2.memory.swap.max'))
  const swapHard = swap !== undefined && hard !== undefined ? swap + hard : both
  const memtune = {
    ...(hard === undefined ? {} : { hardLimitKib: hard }),
    ...(soft === undefined ? {} : { softLimitKib: soft }),
    ...(swapHard === undefined ? {} : { swapHardLimitKib: swapHard }),
  }
  const cputune = nativeCputune(lines)
  const cpuset = value('cpuset.cpus', 'cpuset.cpus')
  const nodeset = value('cpuset.mems', 'cpuset.mems')
  const processes = value('pids.max', 'pids.max')
  return {
    memoryKib: hard,
    maxProcesses: processes !== undefined && /^[1-9]\d{0,8}$/.test(processes) ? Number(processes) : undefined,
    elements: {
      ...(Object.keys(memtune).length > 0 ? { memtune } : {}),
      ...(Object.keys(cputune).length > 0 ? { cputune } : {}),
      ...(cpuset === undefined ? {} : { vcpu: { cpuset } }),
      ...(nodeset === undefined ? {} : { numatune: { memory: { mode: 'strict', nodeset } } }),
    },
  }
}

function nativeCputune(lines: NativeLines): NonNullable<DomainInput['cputune']> {
  const number = (key: string) => {
    const text = lines.last(key)
    return text !== undefined && /^-?\d{1,18}$/.test(text) ? BigInt(text) : undefined
  }
  const shares = number('lxc.cgroup.cpu.shares')
  const weight = number('lxc.cgroup2.cpu.weight')
  const [, quotaText, periodText] =
    /^(max|\d{1,18})(?:\s+(\d{1,18}))?$/.exec(lines.last('lxc.cgroup2.cpu.max') ?? '') ?? []
  const period =
    number('lxc.cgroup.cpu.cfs_period_us') ?? (periodText === undefined ? undefined : BigInt(periodText))
  const legacyQuota = number('lxc.cgroup.cpu.cfs_quota_us')
  const quota = quotaText === undefined ? legacyQuota : quotaText === 'max' ? -1n : BigInt(quotaText)
  const shareCount = weight === undefined ? shares : 2n + ((weight - 1n) * 262_142n) / 9999n
  return {
    ...(shareCount === undefined ? {} : { shares: shareCount }),
    ...(period === undefined ? {} : { periodUs: period }),
    ...(quota === undefined ? {} : { quotaUs: quota }),
  }
}

/** `512M` as KiB; `undefined` for no limit. */
function kibOf(text: string | undefined): bigint | undefined {
  const match = /^(\d{1,18})([KMGT]?)B?$/i.exec(text?.trim() ?? '')
  if (!match) return undefined
  const factor =
    { '': 1n, k: 1024n, m: 1024n ** 2n, g: 1024n ** 3n, t: 1024n ** 4n }[(match[2] ?? '').toLowerCase()] ?? 1n
  return (BigInt(match[1] ?? '0') * factor) / 1024n
}
