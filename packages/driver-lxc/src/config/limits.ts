import { VirError } from '@covirt/core'
import type { BlkiotuneXml, DomainXml } from '@covirt/xml'
import { expandCpuset } from '../host/cpuset.js'
import type { CgroupVersion, HostFacts } from '../host/host-facts.js'
import type { ConfigLine } from './config-lines.js'
import { type ContainerPreset, containerOptions } from './container-options.js'
import { hostDevices } from './host-devices.js'

/** How many processes a container may have, which no element of libvirt's says. */
const defaultProcesses: Readonly<Record<ContainerPreset, number>> = { system: 16_384, application: 1024 }

/** Read, write and make: what a container may do with these, and nothing with others. */
const devices = {
  '/dev/null': 'c 1:3',
  '/dev/zero': 'c 1:5',
  '/dev/full': 'c 1:7',
  '/dev/random': 'c 1:8',
  '/dev/urandom': 'c 1:9',
  '/dev/tty': 'c 5:0',
  '/dev/console': 'c 5:1',
  '/dev/ptmx': 'c 5:2',
  '/dev/pts': 'c 136:*',
  '/dev/fuse': 'c 10:229',
} as const

/**
 * What the container may use of the host, in the words of the version of control groups that the host has for
 * each: liblxc silently overlooks those of the other version. `CONFIG_UNSUPPORTED` where the host cannot
 * enforce a limit that was asked for; `<memory>` alone, which there has to be, is left out then.
 */
export function limitLines(
  document: DomainXml,
  host: HostFacts,
  devices: ReadonlyMap<string, string>,
): ConfigLine[] {
  return [
    ...resourceLines(document, host, devices),
    ...deviceLines(host),
    ...hostDeviceLines(document, host, devices),
  ]
}

/** Those of {@link limitLines} that limit what there is much of, and can be changed while the container runs. */
export function resourceLines(
  document: DomainXml,
  host: HostFacts,
  devices: ReadonlyMap<string, string>,
): ConfigLine[] {
  return [
    ...memoryLines(document, host),
    ...cpuLines(document, host),
    ...cpusetLines(document, host),
    ...numaLines(document, host),
    ...processLines(document, host),
    ...blkioLines(document, host, devices),
  ]
}

/** What is given back of its memory is out of reach, too. */
function memoryLimitKib({ memoryKib, currentMemoryKib, memtune }: DomainXml): bigint | undefined {
  const limitKib = memtune?.hardLimitKib ?? memoryKib
  const isLess = currentMemoryKib !== undefined && memoryKib !== undefined && currentMemoryKib < memoryKib
  return isLess && limitKib !== undefined && currentMemoryKib < limitKib ? currentMemoryKib : limitKib
}

function memoryLines(document: DomainXml, host: HostFacts): ConfigLine[] {
  const { memtune } = document
  const limitKib = memoryLimitKib(document)
  if (limitKib === undefined) return []
  // A definition must have <memory>, so that a host which cannot enforce it would have no containers.
  if (memtune === undefined && host.controllers.memory === undefined) return []
  const version = requireController(host, 'memory', 'memtune')
  const swapKib = memtune?.swapHardLimitKib
  if (swapKib !== undefined && !host.swapLimits)
    throw unsupported('memtune/swap_hard_limit', 'swap accounting')
  const key = cgroupKey(version, 'memory')
  if (version === 1) {
    return [
      [`${key}.limit_in_bytes`, bytes(limitKib)],
      ...present(memtune?.softLimitKib, (kib): ConfigLine => [`${key}.soft_limit_in_bytes`, bytes(kib)]),
      ...present(swapKib, (kib): ConfigLine => [`${key}.memsw.limit_in_bytes`, bytes(kib)]),
    ]
  }
  return [
    [`${key}.max`, bytes(limitKib)],
    ...present(memtune?.softLimitKib, (kib): ConfigLine => [`${key}.high`, bytes(kib)]),
    // Version 1, and so libvirt, counts memory and swap together; version 2 swap alone.
    ...present(
      swapKib,
      (kib): ConfigLine => [`${key}.swap.max`, bytes(kib > limitKib ? kib - limitKib : 0n)],
    ),
  ]
}

function cpuLines({ cputune }: DomainXml, host: HostFacts): ConfigLine[] {
  const { shares, periodUs, quotaUs } = cputune ?? {}
  if (shares === undefined && periodUs === undefined && quotaUs === undefined) return []
  const version = requireController(host, 'cpu', 'cputune')
  const key = cgroupKey(version, 'cpu')
  const isLimited = quotaUs !== undefined && quotaUs > 0n
  if (version === 1) {
    return [
      ...present(shares, (value): ConfigLine => [`${key}.shares`, String(value)]),
      ...present(periodUs, (value): ConfigLine => [`${key}.cfs_period_us`, String(value)]),
      ...present(quotaUs, (value): ConfigLine => [`${key}.cfs_quota_us`, isLimited ? String(value) : '-1']),
    ]
  }
  return [
    ...present(shares, (value): ConfigLine => [`${key}.weight`, String(weightOfShares(value))]),
    ...(quotaUs === undefined && periodUs === undefined
      ? []
      : [[`${key}.max`, `${isLimited ? quotaUs : 'max'} ${periodUs ?? 100_000n}`] as const]),
  ]
}

/** The weight (1 to 10000) that corresponds to shares (2 to 262144), as OCI's runtimes convert them. */
function weightOfShares(shares: bigint): bigint {
  return 1n + ((shares - 2n) * 9999n) / 262_142n
}

/** Fewer processors than it may run on are those by its uuid: containers are to spread over the host. */
function cpusetLines({ uuid = '', vcpu }: DomainXml, host: HostFacts): ConfigLine[] {
  const { cpuset, current } = vcpu ?? {}
  if (cpuset === undefined && current === undefined) return []
  const cpus = cpuset === undefined ? host.cpus.join(',') : expandCpuset(cpuset)
  if (cpus === undefined)
    throw new VirError('XML_ERROR', `<vcpu cpuset='${cpuset}'> names no processors`, { domain: 'LXC' })
  const allowed = cpus.split(',')
  const isLess = current !== undefined && current < allowed.length
  if (cpuset === undefined && !isLess && host.controllers.cpuset === undefined) return []
  const version = requireController(host, 'cpuset', cpuset === undefined ? 'vcpu current' : 'vcpu cpuset')
  const first = Number.parseInt(uuid.slice(0, 8) || '0', 16) % allowed.length
  const chosen = isLess ? [...allowed, ...allowed].slice(first, first + current) : allowed
  return [[`${cgroupKey(version, 'cpuset')}.cpus`, chosen.sort((a, b) => Number(a) - Number(b)).join(',')]]
}

/** Of the nodes of memory; `strict` and `restrictive` are the same to who takes no memory before it is bound. */
function numaLines({ numatune }: DomainXml, host: HostFacts): ConfigLine[] {
  const nodes = expandCpuset(numatune?.memory?.nodeset ?? '')
  if (nodes === undefined) return []
  const version = requireController(host, 'cpuset', 'numatune')
  return [[`${cgroupKey(version, 'cpuset')}.mems`, nodes]]
}

function blkioLines(
  { blkiotune }: DomainXml,
  host: HostFacts,
  devices: ReadonlyMap<string, string>,
): ConfigLine[] {
  if (blkiotune === undefined) return []
  const version = requireController(host, 'blkio', 'blkiotune')
  return version === 1 ? legacyBlkioLines(blkiotune, devices) : unifiedBlkioLines(blkiotune, host, devices)
}

function legacyBlkioLines(
  { weight, devices: limits }: BlkiotuneXml,
  numbers: ReadonlyMap<string, string>,
): ConfigLine[] {
  const throttles = limits.flatMap((limit) => {
    const number = numbers.get(limit.path ?? '') ?? ''
    const line = (file: string, value: bigint | number | undefined): ConfigLine[] =>
      value === undefined ? [] : [[`lxc.cgroup.blkio.${file}`, `${number} ${value}`]]
    return [
      ...line('throttle.read_bps_device', limit.readBytesSec),
      ...line('throttle.write_bps_device', limit.writeBytesSec),
      ...line('throttle.read_iops_device', limit.readIopsSec),
      ...line('throttle.write_iops_device', limit.writeIopsSec),
      ...line('bfq.weight_device', limit.weight),
    ]
  })
  return [
    ...present(weight, (value): ConfigLine => ['lxc.cgroup.blkio.bfq.weight', String(value)]),
    ...throttles,
  ]
}

function unifiedBlkioLines(
  { weight, devices: limits }: BlkiotuneXml,
  { ioWeights }: HostFacts,
  numbers: ReadonlyMap<string, string>,
): ConfigLine[] {
  const [own] = ioWeights
  const isWeighed = weight !== undefined || limits.some((limit) => limit.weight !== undefined)
  if (own === undefined && isWeighed) throw unsupported('blkiotune/weight', 'weights of disks')
  const lines = limits.flatMap((limit): ConfigLine[] => {
    const number = numbers.get(limit.path ?? '') ?? ''
    const words = Object.entries({
      rbps: limit.readBytesSec,
      wbps: limit.writeBytesSec,
      riops: limit.readIopsSec,
      wiops: limit.writeIopsSec,
    }).flatMap(([key, value]) => (value === undefined ? [] : `${key}=${value}`))
    return [
      ...(words.length === 0 ? [] : [['lxc.cgroup2.io.max', [number, ...words].join(' ')] as const]),
      ...present(limit.weight, (value): ConfigLine => [`lxc.cgroup2.${own}`, `${number} ${value}`]),
    ]
  })
  const ofAll = ioWeights.flatMap((file) =>
    present(weight, (value): ConfigLine => [`lxc.cgroup2.${file}`, `default ${value}`]),
  )
  return [...ofAll, ...lines]
}

function hostDeviceLines(
  document: DomainXml,
  host: HostFacts,
  devices: ReadonlyMap<string, string>,
): ConfigLine[] {
  const version = host.controllers.devices
  if (version === undefined) return []
  return hostDevices(document).map(({ kind, source }): ConfigLine => {
    const number = devices.get(source) ?? ''
    return [`${cgroupKey(version, 'devices')}.allow`, `${kind} ${number} rwm`]
  })
}

function processLines(document: DomainXml, host: HostFacts): ConfigLine[] {
  const version = host.controllers.pids
  if (version === undefined) return []
  const { maxProcesses, preset } = containerOptions(document)
  return [[`${cgroupKey(version, 'pids')}.max`, String(maxProcesses ?? defaultProcesses[preset])]]
}

function deviceLines(host: HostFacts): ConfigLine[] {
  const version = host.controllers.devices
  return version === undefined ? [] : standardDeviceLines(version)
}

/** Whether each container may use it; in the words of devices.allow. */
export function isStandardDevice(rule: string): boolean {
  return Object.values(devices).some((device) => rule === `${device} rwm`)
}

/** Nothing but what each container may use. */
export function standardDeviceLines(version: CgroupVersion): ConfigLine[] {
  const key = cgroupKey(version, 'devices')
  return [
    [`${key}.deny`, 'a'],
    ...Object.values(devices).map((device): ConfigLine => [`${key}.allow`, `${device} rwm`]),
  ]
}

function requireController(
  host: HostFacts,
  controller: keyof HostFacts['controllers'],
  element: string,
): CgroupVersion {
  const version = host.controllers[controller]
  if (version !== undefined) return version
  throw unsupported(element, `${controller} controller`)
}

function unsupported(element: string, missing: string): VirError {
  return new VirError('CONFIG_UNSUPPORTED', `<${element}> cannot be enforced: this host has no ${missing}`, {
    domain: 'LXC',
    hint: 'See /proc/cgroups; some are switched on by the kernel command line (cgroup_enable=memory swapaccount=1)',
  })
}

function cgroupKey(version: CgroupVersion, controller: string): string {
  return `lxc.${version === 1 ? 'cgroup' : 'cgroup2'}.${controller}`
}

function bytes(kib: bigint): string {
  return String(kib * 1024n)
}

function present<T>(value: T | undefined, line: (value: T) => ConfigLine): ConfigLine[] {
  return value === undefined ? [] : [line(value)]
}
