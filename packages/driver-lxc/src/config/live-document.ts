import type { DomainXml } from '@covirt/xml'
import { consoleAlias } from '../guest/console-slot.js'
import type { IdSpan } from '../host/id-ranges.js'
import { idmapOf } from './idmap.js'
import { hostLinkName } from './network.js'

/**
 * A prepared definition with what its container has while it runs: aliases, the names of links on the host, and ids.
 *
 * @param ids of its own, where it has such
 */
export function liveDocument(document: DomainXml, ids: IdSpan | undefined): DomainXml {
  const { devices } = document
  return {
    ...document,
    ...(ids && { idmap: idmapOf(ids) }),
    devices: {
      ...devices,
      filesystems: devices.filesystems.map((each, index) => ({ ...each, alias: `fs${index}` })),
      interfaces: devices.interfaces.map((each, index) => ({
        ...each,
        target: { ...each.target, dev: hostLinkName(document, index) },
        alias: `net${index}`,
      })),
      consoles: devices.consoles.map((each, index) =>
        index === 0 ? { ...each, alias: consoleAlias } : each,
      ),
    },
  }
}
