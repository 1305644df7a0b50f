import { randomBytes } from 'node:crypto'
import type { DomainXml } from '@covirt/xml'
import { machineOf } from './command-line/machine.js'
import { memoryKibOf } from './command-line/memory.js'
import { numberControllers } from './number-controllers.js'

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

const hostCpu = { mode: 'host-passthrough', check: 'none', migratable: 'on', features: [] } as const

/** In the range that QEMU's guests have by custom. */
function randomMac(): string {
  const [a, b, c] = [...randomBytes(3)].map((byte) => byte.toString(16).padStart(2, '0'))
  return `52:54:00:${a}:${b}:${c}`
}
