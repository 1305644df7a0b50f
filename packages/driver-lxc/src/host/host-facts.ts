import { access, readdir, readFile } from 'node:fs/promises'
import { expandCpuset } from './cpuset.js'

/** Version 1 has a hierarchy for each controller, version 2 one for all (cgroups(7)). */
export type CgroupVersion = 1 | 2

/** What of this host a container's configuration depends on. */
export interface HostFacts {
  /** In which version of control groups each controller is to be had; absent: in none. */
  readonly controllers: Readonly<
    Partial<Record<'memory' | 'cpu' | 'cpuset' | 'pids' | 'blkio' | 'devices', CgroupVersion>>
  >
  /** Those processors that are online. */
  readonly cpus: readonly number[]
  /**
   * Where disks are weighed in version 2: by the scheduler BFQ, and by the kernel's model of what disks can do (iocost). A disk of a
   * weight of its own is weighed in the first, as libvirt does.
   */
  readonly ioWeights: readonly ('io.bfq.weight' | 'io.weight')[]
  /** Whether swap can be limited. */
  readonly swapLimits: boolean
  /** Whether system calls can be filtered. */
  readonly seccomp: boolean
  readonly selinux: boolean
  readonly apparmor: 'absent' | 'without-profiles' | 'ready'
}

/** Looks at this host. */
export async function readHostFacts(): Promise<HostFacts> {
  const mountinfo = await readFile('/proc/self/mountinfo', 'utf8')
  const mounts = cgroupMounts(mountinfo)
  const unified = mounts.get('')
  const unifiedControllers = unified === undefined ? '' : await read(`${unified}/cgroup.controllers`)
  const memory = mounts.get('memory')
  const [cpus, ioWeights, swapLimits, seccomp, selinux, apparmor] = await Promise.all([
    read('/sys/devices/system/cpu/online'),
    /\bio\b/.test(unifiedControllers) ? findIoWeights(unified ?? '') : [],
    memory === undefined ? Promise.resolve(true) : exists(`${memory}/memory.memsw.limit_in_bytes`),
    exists('/proc/sys/kernel/seccomp'),
    exists('/sys/fs/selinux/enforce'),
    apparmorState(),
  ])
  return {
    controllers: findControllers(new Set(mounts.keys()), unifiedControllers),
    cpus: (expandCpuset(cpus.trim()) ?? '0').split(',').map(Number),
    ioWeights,
    swapLimits,
    seccomp,
    selinux,
    apparmor,
  }
}

/** The root has no weights: what comes with them tells (Documentation/admin-guide/cgroup-v2.rst, block/bfq-iosched.rst). */
async function findIoWeights(unified: string): Promise<HostFacts['ioWeights']> {
  const disks = await readdir('/sys/block').catch(() => [])
  const [hasCost, ...schedulers] = await Promise.all([
    exists(`${unified}/io.cost.qos`),
    ...disks.map((disk) => read(`/sys/block/${disk}/queue/scheduler`)),
  ])
  const hasBfq = schedulers.some((names) => /\bbfq\b/.test(names))
  return [...(hasBfq ? ['io.bfq.weight' as const] : []), ...(hasCost ? ['io.weight' as const] : [])]
}

/**
 * @param mounted names of mounted hierarchies of version 1, and '' for that of version 2
 * @param unifiedControllers `cgroup.controllers` of the latter
 */
export function findControllers(
  mounted: ReadonlySet<string>,
  unifiedControllers: string,
): HostFacts['controllers'] {
  const unified = new Set(unifiedControllers.trim().split(/\s+/))
  const version = (name: string) => (mounted.has(name) ? 1 : unified.has(name) ? 2 : undefined)
  const found = {
    memory: version('memory'),
    cpu: version('cpu'),
    cpuset: version('cpuset'),
    pids: version('pids'),
    blkio: mounted.has('blkio') ? (1 as const) : unified.has('io') ? (2 as const) : undefined,
    // Version 2 has no such controller: liblxc attaches a BPF program instead.
    devices: mounted.has('devices') ? (1 as const) : mounted.has('') ? (2 as const) : undefined,
  }
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined))
}

/** Where control groups are mounted: by controller of version 1, and by '' for version 2 (proc_pid_mountinfo(5)). */
export function cgroupMounts(mountinfo: string): ReadonlyMap<string, string> {
  const mounts = new Map<string, string>()
  for (const line of mountinfo.split('\n')) {
    const [left = '', right = ''] = line.split(' - ')
    const point = left.split(' ')[4]
    const [type, , options = ''] = right.split(' ')
    if (point === undefined) continue
    if (type === 'cgroup2') mounts.set('', point)
    if (type === 'cgroup') for (const option of options.split(',')) mounts.set(option, point)
  }
  return mounts
}

async function apparmorState(): Promise<HostFacts['apparmor']> {
  const enabled = await read('/sys/module/apparmor/parameters/enabled')
  if (enabled.trim() !== 'Y') return 'absent'
  const [parser, profiles] = await Promise.all([
    exists('/sbin/apparmor_parser'),
    exists('/etc/apparmor.d/abstractions/lxc'),
  ])
  return parser && profiles ? 'ready' : 'without-profiles'
}

function read(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '')
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
