import { type CallOptions, type DomainInfo, type DomainStats, throwIfAborted } from '@covirt/core'
import type { DomainEntry } from './domain-entry.js'
import type { Guest, GuestInfo } from './hypervisor.js'

/** What a domain that is off uses. */
export const nothingUsed: GuestInfo = { memoryKib: 0, cpuTimeNs: 0n }

/** A guest that vanishes while it is asked uses nothing. */
export async function usedBy(guest: Guest, options: CallOptions): Promise<GuestInfo> {
  try {
    return await guest.info(options)
  } catch {
    throwIfAborted(options.signal)
    return nothingUsed
  }
}

/** What `getDomainInfo` tells, given what the guest uses. */
export function infoOf(entry: DomainEntry, used: GuestInfo): DomainInfo {
  const document = entry.active?.document ?? entry.inactiveDocument
  return {
    state: entry.state,
    maxMemoryKib: Number(document.memoryKib ?? 0),
    memoryKib: used.memoryKib,
    vcpus: document.vcpu?.current ?? document.vcpu?.count ?? 1,
    cpuTimeNs: used.cpuTimeNs,
  }
}

/** What a list shows, given what the guest uses. */
export function statsOf(entry: DomainEntry, flags: DomainFlags, used: GuestInfo): DomainStats {
  return { type: entry.inactiveDocument.type, ...flags, ...infoOf(entry, used) }
}

/** What a filter looks at. */
export type DomainFlags = Pick<DomainStats, 'domain' | 'state' | 'persistent' | 'autostart'>

export function flagsOf(entry: DomainEntry): DomainFlags {
  return {
    domain: entry.ref,
    state: entry.state,
    persistent: entry.definition !== undefined,
    autostart: entry.autostart,
  }
}
