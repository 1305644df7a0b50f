import type { DomainXml } from '@covirt/xml'
import type { DomainEntry } from './domain-entry.js'
import type { Hypervisor } from './hypervisor.js'

/** Throws where a guest of `entry` with this document would harm other domains of `table`, or they it. */
export function checkShared(
  { hypervisor, table }: { readonly hypervisor: Hypervisor; readonly table: Iterable<DomainEntry> },
  entry: DomainEntry,
  document: DomainXml,
): void {
  if (!hypervisor.checkShared) return
  const others = [...table].filter((other) => other !== entry)
  const sharing = others.map(({ active, starting, inactiveDocument }) => ({
    document: active?.document ?? inactiveDocument,
    active: active !== undefined || starting,
  }))
  hypervisor.checkShared(document, sharing)
}
