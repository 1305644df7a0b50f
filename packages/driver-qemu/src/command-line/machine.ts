import type { DomainXml } from '@covirt/xml'
import { keyval, unsupported } from './arguments.js'
import { memoryBackend } from './memory.js'

/** The machine that QEMU is to be, as far as devices depend on it. */
export interface Machine {
  readonly kind: 'pc' | 'q35' | 'microvm'
  /** The name as QEMU knows it, maybe with a version. */
  readonly name: string
  readonly arch: 'x86_64' | 'i686'
  readonly kvm: boolean
}

const kinds = [
  { kind: 'pc', names: /^pc(-i440fx-[\w.]+)?$/ },
  { kind: 'q35', names: /^(q35|pc-q35-[\w.]+)$/ },
  { kind: 'microvm', names: /^microvm$/ },
] as const

/** The machine that a definition asks for. */
export function machineOf(domain: DomainXml): Machine {
  const { arch = 'x86_64', machine: name = 'pc', type } = domain.os.type ?? { type: 'hvm' }
  if (type !== 'hvm') throw unsupported(`<os><type>${type}</type>`, "Virtual machines have the type 'hvm'")
  if (!isArch(arch)) throw unsupported(`<os><type arch='${arch}'>`)
  const kind = kinds.find(({ names }) => names.test(name))?.kind
  if (!kind) throw unsupported(`<os><type machine='${name}'>`, 'Known are pc, q35 and microvm')
  return { kind, name, arch, kvm: domain.type === 'kvm' }
}

function isArch(arch: string): arch is Machine['arch'] {
  return arch === 'x86_64' || arch === 'i686'
}

/** `-machine` and what else says how the board is. */
export function machineArguments(domain: DomainXml, machine: Machine, firmware: readonly string[]): string[] {
  const { features, clock } = domain
  const hpet = clock?.timers.find(({ name }) => name === 'hpet')?.present
  const isPc = machine.kind !== 'microvm'
  const [pflash0, pflash1] = firmware
  return [
    ...keyval('-machine', machine.name, {
      accel: machine.kvm ? 'kvm' : 'tcg',
      usb: isPc ? false : undefined,
      // Its own serial port; ours are devices on every machine.
      'isa-serial': isPc ? undefined : false,
      acpi: features === undefined || features.acpi === true,
      hpet: isPc ? hpet : undefined,
      vmport: isPc ? onOffOf(features?.vmport) : undefined,
      smm: isPc ? onOffOf(features?.smm) : undefined,
      'dump-guest-core': false,
      'memory-backend': domain.memoryBacking?.source === 'memfd' ? memoryBackend : undefined,
      pflash0,
      pflash1,
    }),
    ...suspendArguments(domain, machine),
  ]
}

/** The name of a virtio device: on PCI, or on microvm's own bus. */
export function virtio(machine: Machine, name: string): string {
  return machine.kind === 'microvm' ? `virtio-${name}-device` : `virtio-${name}-pci`
}

/** Refuses `what` on a machine without a PCI bus. */
export function needsPci(machine: Machine, what: string): void {
  if (machine.kind === 'microvm') throw unsupported(`${what} on the machine 'microvm', which has no PCI bus`)
}

function onOffOf(feature: { readonly state?: boolean | undefined } | undefined): boolean | undefined {
  return feature === undefined ? undefined : (feature.state ?? true)
}

function suspendArguments({ pm }: DomainXml, machine: Machine): string[] {
  if (machine.kind === 'microvm') return []
  const driver = machine.kind === 'pc' ? 'PIIX4_PM' : 'ICH9-LPC'
  const disable = (property: string, enabled: boolean | undefined): string[] =>
    enabled === undefined ? [] : ['-global', `${driver}.${property}=${enabled ? 0 : 1}`]
  return [...disable('disable_s3', pm?.suspendToMem), ...disable('disable_s4', pm?.suspendToDisk)]
}
