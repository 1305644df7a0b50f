import type { DomainXml } from '@covirt/xml'
import { unsupported } from './arguments.js'

/**
 * Refuses what a definition has and this driver knows, but cannot do at all. What it can do in part is refused
 * where it is done.
 */
export function refuseUnsupported(domain: DomainXml): void {
  const { devices, features } = domain
  const refused: readonly (readonly [element: string, present: unknown])[] = [
    ['<bootloader>', domain.bootloader],
    ['<iothreads>', domain.iothreads],
    ['<blkiotune>', domain.blkiotune],
    ['<memtune>', domain.memtune],
    ['<cputune>', domain.cputune],
    ['<numatune>', domain.numatune],
    ['<sysinfo>', domain.sysinfo.length],
    ['<idmap>', domain.idmap],
    ["<seclabel type='static'>", domain.seclabels.some(({ type }) => type === 'static')],
    ['<features><privnet>', features?.privnet],
    ['<features><viridian>', features?.viridian],
    ['<features><hyperv>', features?.hyperv],
    ['<features><kvm>', features?.kvm],
    ['<features><pvspinlock>', features?.pvspinlock],
    ['<features><gic>', features?.gic],
    ['<features><ioapic>', features?.ioapic],
    ['<features><capabilities>', features?.capabilities],
    ['<lease>', devices.leases.length],
    ['<smartcard>', devices.smartcards.length],
    ['<parallel>', devices.parallels.length],
    ['<tpm>', devices.tpms.length],
    ['<sound>', devices.sounds.length],
    ['<hostdev>', devices.hostdevs.length],
    ['<redirdev>', devices.redirdevs.length],
    ['<memory> as a device', devices.memories.length],
    ['<iommu>', devices.iommu],
    ['<vsock>', devices.vsock],
    ['more than one <watchdog>', (devices.watchdogs.length ?? 0) > 1],
  ]
  for (const [element, present] of refused) if (present) throw unsupported(element)
}
