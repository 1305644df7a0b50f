import { randomBytes } from 'node:crypto'
import type { DomainXml } from '@covirt/xml'
import { machineOf } from './command-line/machine.js'
import { memoryKibOf } from './command-line/memory.js'
import { numberControllers } from './number-controllers.js'
import type { QemuProgram } from './qemu-program.js'

/** Fills in what a definition leaves to the driver. Doing so again changes nothing. */
export function withDefaults(domain: DomainXml): DomainXml {
  const machine = machineOf(domain)
  const { devices, os } = domain
  const needsVideo = devices.graphics.length > 0 && devices.videos.length === 0 && machine.kind !== 'microvm'
  return {
    ...domain,
    memoryKib: memoryKibOf(domain),
    vcpu: domain.vcpu?.count === undefined ? { ...domain.vcpu, count: 1 } : domain.vcpu,
    os: { ...os, type: { ...os.type, type: 'hvm', arch: machine.arch, machine: machine.name } },
    // Without ACPI a guest never learns that it is to shut down: it is left out only where others are listed.
    features: domain.features ?? { acpi: true, apic: {} },
    ...(domain.cpu === undefined && machine.kvm && { cpu: hostCpu }),
    devices: {
      ...devices,
      controllers: numberControllers(devices.controllers),
      disks: devices.disks.map((disk) => {
        const { driver } = disk
        if (disk.source === undefined || driver?.type !== undefined) return disk
        return { ...disk, driver: { ...driver, name: driver?.name ?? 'qemu', type: 'raw' } }
      }),
      interfaces: devices.interfaces.map((nic) =>
        nic.mac?.address === undefined ? { ...nic, mac: { ...nic.mac, address: randomMac() } } : nic,
      ),
      ...(needsVideo && { videos: [{ model: { type: 'vga' } }] }),
      memballoon: devices.memballoon ?? { model: 'virtio' },
    },
  }
}

/**
 * Names the machine in full, as libvirt does: `pc` is another one in each version of QEMU, and neither the guest's system
 * nor its saved state is to find itself on another board. A definition with an `<emulator>` of its own stays as it is.
 */
export function withMachineVersion(
  domain: DomainXml,
  { machines }: Pick<QemuProgram, 'machines'>,
): DomainXml {
  const { os, devices } = domain
  const known = machines.find(({ alias }) => alias !== undefined && alias === os.type?.machine)
  if (!known || devices.emulator !== undefined) return domain
  return { ...domain, os: { ...os, type: { ...os.type, type: 'hvm', machine: known.name } } }
}

const hostCpu = { mode: 'host-passthrough', check: 'none', migratable: 'on', features: [] } as const

/** In the range that QEMU's guests have by custom. */
function randomMac(): string {
  const [a, b, c] = [...randomBytes(3)].map((byte) => byte.toString(16).padStart(2, '0'))
  return `52:54:00:${a}:${b}:${c}`
}
