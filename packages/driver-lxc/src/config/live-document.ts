import type { DomainXml } from '@covirt/xml'
import { consoleAlias } from '../guest/console-slot.js'
import type { IdSpan } from '../host/subordinate-ids.js'
import { idmapOf } from './idmap.js'
import { guestLinkName, hostLinkName } from './network.js'

/**
 * A prepared definition with what its container has while it runs: aliases, the names of links on both sides, and ids.
 * What it has of that already stays.
 *
 * @param ids of its own, where it has such
 */
export function liveDocument(document: DomainXml, ids: IdSpan | undefined): DomainXml {
  const { devices } = document
  const interfaces = devices.interfaces.map((each, index) => ({
    ...each,
    target: { ...each.target, dev: hostLinkName(document, index) },
    guest: { ...each.guest, dev: guestLinkName(each, index) },
  }))
  return {
    ...document,
    ...(ids && { idmap: idmapOf(ids) }),
    devices: {
      ...devices,
      filesystems: withAliases(devices.filesystems, 'fs'),
      interfaces: withAliases(interfaces, 'net'),
      hostdevs: withAliases(devices.hostdevs, 'hostdev'),
      consoles: devices.consoles.map((each, index) =>
        index === 0 ? { ...each, alias: consoleAlias } : each,
      ),
    },
  }
}

/** The first alias of this kind that none of these devices has. */
export function freeAlias(
  devices: readonly { readonly alias?: string | undefined }[],
  prefix: string,
): string {
  const taken = new Set(devices.map(({ alias }) => alias))
  let number = 0
  while (taken.has(`${prefix}${number}`)) number++
  return `${prefix}${number}`
}

function withAliases<D extends { readonly alias?: string | undefined }>(
  devices: readonly D[],
  prefix: string,
): readonly D[] {
  const named: D[] = []
  for (const device of devices) {
    const { alias } = device
    const stays = alias !== undefined && !named.some((other) => other.alias === alias)
    const others = [...named, ...devices.slice(named.length + 1)]
    named.push(stays ? device : { ...device, alias: freeAlias(others, prefix) })
  }
  return named
}
