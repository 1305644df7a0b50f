import { randomUUID } from 'node:crypto'
import { VirError } from '@covirt/core'
import { type DomainXml, lifecycleOf, parseDomain } from '@covirt/xml'
import { checkDomainName } from './domain-name.js'
import type { Hypervisor } from './hypervisor.js'

/**
 * Parses, checks and completes a definition that a user gives. What it returns has no id, but a uuid, and says of memory
 * and processors what there is now besides what there may be: clients rely on both, as libvirt's documents have them.
 */
export function prepareDefinition(
  xml: string,
  hypervisor: Hypervisor,
): DomainXml & { readonly uuid: string } {
  const { id: _, ...document } = parseDomain(xml)
  checkDomainName(document.name)
  if (!hypervisor.domainTypes.includes(document.type)) {
    throw new VirError(
      'CONFIG_UNSUPPORTED',
      `The ${hypervisor.type} driver runs no domains of type '${document.type}'`,
      { domain: hypervisor.errorDomain, hint: `It runs: ${hypervisor.domainTypes.join(', ')}` },
    )
  }
  const uuid = document.uuid ?? randomUUID()
  const prepared = hypervisor.prepare({ ...document, uuid })
  const { memoryKib, currentMemoryKib = memoryKib, vcpu } = prepared
  return {
    ...prepared,
    uuid,
    ...(currentMemoryKib === undefined ? {} : { currentMemoryKib }),
    vcpu: { ...vcpu, count: vcpu?.count ?? 1 },
  }
}

/** As {@link prepareDefinition}, of a definition that is new: what is wrong in there is for whoever writes it. */
export function prepareWritten(xml: string, hypervisor: Hypervisor): DomainXml & { readonly uuid: string } {
  const document = prepareDefinition(xml, hypervisor)
  // Told now, not to the next boot.
  lifecycleOf(document)
  return document
}
