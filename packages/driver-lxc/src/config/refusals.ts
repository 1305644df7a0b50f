import {
  type DevicesXml,
  type DomainXml,
  type FilesystemXml,
  type HostdevXml,
  type InterfaceXml,
  unknownCapability,
} from '@covirt/xml'

/** An element that a container cannot have, with what to write instead. */
export interface Refusal {
  /** As a path, such as `devices/disk`. */
  readonly element: string
  readonly hint?: string | undefined
}

/** The first element of a definition that this driver knows and cannot do. */
export function findRefusal(document: DomainXml): Refusal | undefined {
  return (
    osRefusal(document) ??
    tuningRefusal(document) ??
    deviceRefusal(document.devices) ??
    first(document.devices.filesystems, filesystemRefusal) ??
    first(document.devices.hostdevs, hostdevRefusal) ??
    first(document.devices.interfaces, interfaceRefusal)
  )
}

const ofMachines = 'That is for virtual machines: a container runs on the kernel of the host'

function osRefusal({ os, cpu, features }: DomainXml): Refusal | undefined {
  const type = os.type?.type
  if (type !== undefined && type !== 'exe')
    return { element: `os/type ${type}`, hint: `A container's is <type>exe</type>` }
  const elements = {
    loader: os.loader,
    nvram: os.nvram,
    kernel: os.kernel,
    initrd: os.initrd,
    cmdline: os.cmdline,
    dtb: os.dtb,
    bios: os.bios,
    bootmenu: os.bootMenu,
    smbios: os.smbiosMode,
    firmware: os.firmware,
    boot: os.boot[0],
  }
  const { hyperv, kvm, smm } = features ?? {}
  const capability = unknownCapability(features)
  return (
    present('os', elements, ofMachines) ??
    present('features', { hyperv, kvm, smm }, ofMachines) ??
    present(undefined, { cpu }, ofMachines) ??
    present(
      'features/capabilities',
      capability === undefined ? {} : { [capability]: true },
      'See capabilities(7)',
    )
  )
}

function tuningRefusal(document: DomainXml): Refusal | undefined {
  const { maxMemory, numatune, iothreads, cputune = undefined, memtune, memoryBacking } = document
  const { clock, resource, seclabels } = document
  const partition = resource?.partition
  const label = seclabels.find(
    ({ type, model, label }) =>
      type === 'static' && (label === undefined || (model !== 'apparmor' && model !== 'selinux')),
  )
  return (
    present(undefined, { maxMemory, iothreads }) ??
    numaRefusal(numatune) ??
    present('memoryBacking', memoryBacking ?? {}) ??
    present('memtune', { min_guarantee: memtune?.minGuaranteeKib }) ??
    present(
      'cputune',
      {
        vcpupin: cputune?.vcpuPins[0],
        emulatorpin: cputune?.emulatorPin,
        iothreadpin: cputune?.iothreadPins[0],
        vcpusched: cputune?.vcpuSchedulers[0],
        global_period: cputune?.globalPeriodUs,
        global_quota: cputune?.globalQuotaUs,
        emulator_period: cputune?.emulatorPeriodUs,
        emulator_quota: cputune?.emulatorQuotaUs,
        iothread_period: cputune?.iothreadPeriodUs,
        iothread_quota: cputune?.iothreadQuotaUs,
      },
      'For the whole container there are <shares>, <period> and <quota>, and <vcpu cpuset=…>',
    ) ??
    // libvirt writes its default partition into the documents it gives out.
    (partition !== undefined && partition !== '/machine' ? { element: 'resource/partition' } : undefined) ??
    (label ? { element: "seclabel type='static'" } : undefined) ??
    (isShifted(clock) ? { element: `clock offset='${clock?.offset}'`, hint: ofHostClock } : undefined)
  )
}

/** The kernel binds a container to nodes; how its memory is spread over these is for its programs to say. */
function numaRefusal(numatune: DomainXml['numatune']): Refusal | undefined {
  const { mode, placement } = numatune?.memory ?? {}
  const hint = "Write <memory mode='strict' nodeset='0'/>"
  return (
    present('numatune', { memnode: numatune?.nodes[0] }, hint) ??
    (placement === 'auto' ? { element: "numatune/memory placement='auto'", hint } : undefined) ??
    (mode === 'preferred' || mode === 'interleave'
      ? { element: `numatune/memory mode='${mode}'`, hint }
      : undefined)
  )
}

const ofHostClock =
  "The kernel has one time of day, which containers share; what they see as the time since boot is shifted with <covirt:time boot='SECONDS'>"

/** Whether a container would have another time of day than its host: a variable offset of nothing is none. */
function isShifted(clock: DomainXml['clock']): boolean {
  const { offset, basis = 'utc', adjustment = '0' } = clock ?? {}
  if (offset === 'variable') return basis !== 'utc' || Number(adjustment) !== 0
  return offset !== undefined && offset !== 'utc' && offset !== 'localtime'
}

const withoutDriver: readonly (readonly [element: string, list: keyof DevicesXml])[] = [
  ['disk', 'disks'],
  ['lease', 'leases'],
  ['smartcard', 'smartcards'],
  ['parallel', 'parallels'],
  ['serial', 'serials'],
  ['channel', 'channels'],
  ['input', 'inputs'],
  ['tpm', 'tpms'],
  ['graphics', 'graphics'],
  ['sound', 'sounds'],
  ['audio', 'audios'],
  ['video', 'videos'],
  ['redirdev', 'redirdevs'],
  ['watchdog', 'watchdogs'],
  ['rng', 'rngs'],
  ['panic', 'panics'],
  ['memory', 'memories'],
  ['iommu', 'iommu'],
  ['vsock', 'vsock'],
]

const instead: Readonly<Record<string, string>> = {
  disk: "Give the container a directory: <filesystem type='mount'>",
  serial: "A container has a <console type='pty'>",
  rng: 'A container has /dev/random of the host',
}

function deviceRefusal(devices: DevicesXml): Refusal | undefined {
  for (const [element, key] of withoutDriver) {
    const value = devices[key]
    if (Array.isArray(value) ? value.length > 0 : value !== undefined)
      return { element: `devices/${element}`, hint: instead[element] ?? ofMachines }
  }
  const balloon = devices.memballoon?.model
  if (balloon !== undefined && balloon !== 'none') return { element: 'devices/memballoon', hint: ofMachines }
  const [console, ...others] = devices.consoles
  if (console && console.type !== 'pty')
    return {
      element: `devices/console type='${kindOf(console)}'`,
      hint: "A container has a <console type='pty'>",
    }
  if (console?.log && console.log.file === undefined)
    return { element: 'devices/console/log', hint: 'It needs a file=…' }
  return others.length > 0 ? { element: 'devices/console', hint: 'A container has one console' } : undefined
}

const knownFilesystems: ReadonlySet<string> = new Set(['mount', 'bind', 'file', 'block', 'ram', 'template'])

function filesystemRefusal(filesystem: FilesystemXml): Refusal | undefined {
  const { type, accessMode, spaceHardLimitBytes, spaceSoftLimitBytes } = filesystem
  if (!knownFilesystems.has(type))
    return {
      element: `devices/filesystem type='${kindOf(filesystem)}'`,
      hint: "There is type='mount', of a directory, and 'bind', 'file', 'block', 'ram', 'template'",
    }
  const format = filesystem.driver?.format
  if (type === 'file' && format !== undefined && format !== 'raw' && format !== 'qcow2')
    return {
      element: `devices/filesystem driver format='${format}'`,
      hint: "There is 'raw', and 'qcow2': qemu-img convert -O qcow2",
    }
  if (accessMode === 'squash') return { element: `devices/filesystem accessmode='${accessMode}'` }
  if (type === 'ram' && filesystem.target === '/')
    return { element: "devices/filesystem type='ram'", hint: 'The root of a container is a directory' }
  return present('devices/filesystem', {
    space_hard_limit: spaceHardLimitBytes,
    space_soft_limit: spaceSoftLimitBytes,
  })
}

function interfaceRefusal(link: InterfaceXml): Refusal | undefined {
  if (link.type !== 'bridge' && link.type !== 'direct' && link.type !== 'ethernet')
    return {
      element: `devices/interface type='${kindOf(link)}'`,
      hint: "There is type='bridge', with a bridge of the host, type='direct', with a link of it, and type='ethernet'",
    }
  const { virtualport, backend, script, filterref, bandwidth, vlan, isolated, coalesce } = link
  return present('devices/interface', {
    virtualport,
    backend,
    script,
    filterref,
    bandwidth,
    vlan,
    'port isolated': isolated || undefined,
    coalesce,
  })
}

function hostdevRefusal(device: HostdevXml): Refusal | undefined {
  const isKnown = device.type === 'net' || device.type === 'misc' || device.type === 'storage'
  return device.mode === 'capabilities' && isKnown
    ? undefined
    : {
        element: `devices/hostdev mode='${device.mode ?? 'subsystem'}' type='${kindOf(device)}'`,
        hint: "A container takes mode='capabilities' with type 'net', 'misc' or 'storage'",
      }
}

/** What the document says, where the codec knows no such kind. */
function kindOf(device: { readonly type: string; readonly otherType?: string }): string {
  return device.otherType ?? device.type
}

function present(
  parent: string | undefined,
  elements: Readonly<Record<string, unknown>>,
  hint?: string,
): Refusal | undefined {
  const found = Object.entries(elements).find(([, value]) => value !== undefined)
  return found && { element: parent === undefined ? found[0] : `${parent}/${found[0]}`, hint }
}

function first<T>(items: readonly T[], check: (item: T) => Refusal | undefined): Refusal | undefined {
  for (const item of items) {
    const refusal = check(item)
    if (refusal) return refusal
  }
  return undefined
}
