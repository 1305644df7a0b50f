import { type CallOptions, type DomainInfo, type DomainStats, throwIfAborted } from '@covirt/core'
import type { DomainEntry } from './domain-entry.js'
import type { Guest, GuestInfo } from './hypervisor.js'

/** What the guest uses; `undefined` where it vanishes while it is asked. */
export function usedBy(guest: Guest, options: CallOptions): Promise<GuestInfo | undefined> {
  return guest.info(options).catch(() => {
    throwIfAborted(options.signal)
    return undefined
  })
}

/** What `getDomainInfo` tells, given what the guest uses, if there is one. */
export function infoOf(entry: DomainEntry, used: GuestInfo | undefined): DomainInfo {
  const document = entry.active?.document ?? entry.inactiveDocument
  return {
    state: entry.state,
    maxMemoryKib: Number(document.memoryKib ?? 0),
    memoryKib: used?.memoryKib ?? 0,
    vcpus: document.vcpu?.current ?? document.vcpu?.count ?? 1,
    cpuTimeNs: used?.cpuTimeNs ?? 0n,
  }
}

/** What a list shows of a domain; `undefined` where it has vanished. */
export function statsOf(entry: DomainEntry, used: GuestInfo | undefined): DomainStats | undefined {
  if (!entry.exists) return undefined
  return { type: entry.inactiveDocument.type, ...flagsOf(entry), ...infoOf(entry, used) }
}

/** What a filter looks at. */
export function flagsOf(
  entry: DomainEntry,
): Pick<DomainStats, 'domain' | 'state' | 'persistent' | 'autostart'> {
  return {
    domain: entry.ref,
    state: entry.state,
    persistent: entry.definition !== undefined,
    autostart: entry.autostart,
  }
}
