import { createHash } from 'node:crypto'
import type { DomainXml, InterfaceXml } from '@covirt/xml'
import type { ConfigLine } from './config-lines.js'
import { defaultPrefix, isPlainDefault, routeWords } from './routes.js'

/** A network namespace of its own, with a veth pair for each `<interface>`; without any, with nothing in it. */
export function networkLines(document: DomainXml): ConfigLine[] {
  const links = [
    ...document.devices.interfaces.map((each, index) =>
      linkLines(each, { name: guestLinkName(each, index), pair: hostLinkName(document, index) }),
    ),
    ...hostLinks(document).map(hostLinkLines),
  ]
  if (links.length === 0) return [['lxc.net.0.type', 'empty']]
  return links.flatMap((lines, index) =>
    lines.map(([key, value]): ConfigLine => [`lxc.net.${index}.${key}`, value]),
  )
}

/** Of a link of the host that is the container's while it runs. */
export function hostLinkLines(name: string): ConfigLine[] {
  return [
    ['type', 'phys'],
    ['link', name],
    ['name', name],
    ['flags', 'up'],
  ]
}

/** The links of the host that the container has for itself while it runs. */
export function hostLinks({ devices }: DomainXml): string[] {
  return devices.hostdevs.flatMap((each) => (each.type === 'net' ? (each.source?.interface ?? []) : []))
}

/** liblxc's words for libvirt's modes. */
const macvlanModes = { vepa: 'vepa', private: 'private', bridge: 'bridge', passthrough: 'passthru' } as const

function kindLines(link: InterfaceXml, pair: string | undefined): ConfigLine[] {
  if (link.type === 'direct')
    return [
      ['type', 'macvlan'],
      ['link', link.source?.dev ?? ''],
      ['macvlan.mode', macvlanModes[link.source?.mode ?? 'vepa']],
    ]
  const bridge = link.type === 'bridge' ? link.source?.bridge : undefined
  return [
    ['type', 'veth'],
    ...(bridge === undefined ? [] : [['link', bridge] as const]),
    ...(pair === undefined ? [] : [['veth.pair', pair] as const]),
  ]
}

/** The routes that liblxc has no words for, as the program that sets them takes them. */
export function routesOf({ devices }: DomainXml): string[] {
  return devices.interfaces.flatMap((link, index) =>
    link.routes
      .filter((route) => !isPlainDefault(route))
      .map((route) => routeWords(route, guestLinkName(link, index))),
  )
}

/** The name that the container sees. */
export function guestLinkName({ guest }: InterfaceXml, index: number): string {
  return guest?.dev ?? `eth${index}`
}

/** What a link is called on both sides, where that is known. */
export interface LinkNames {
  /** In the container. */
  readonly name: string | undefined
  /** On the host. */
  readonly pair: string | undefined
}

/** The names in a live document. */
export function liveLinkNames({ guest, target }: InterfaceXml): LinkNames {
  return { name: guest?.dev, pair: target?.dev }
}

/** One interface in the words of lxc.container.conf(5), without `lxc.net.N.`. */
export function linkLines(link: InterfaceXml, { name, pair }: LinkNames): ConfigLine[] {
  return [
    ...kindLines(link, pair),
    ...(name === undefined ? [] : [['name', name] as const]),
    ...(link.linkState === 'down' ? [] : [['flags', 'up'] as const]),
    ...(link.mac?.address === undefined ? [] : [['hwaddr', link.mac.address] as const]),
    ...(link.mtu === undefined ? [] : [['mtu', String(link.mtu)] as const]),
    ...link.ips.map(
      ({ address, prefix }): ConfigLine => [
        address.includes(':') ? 'ipv6.address' : 'ipv4.address',
        `${address}/${prefix ?? defaultPrefix(address)}`,
      ],
    ),
    ...link.routes
      .filter(isPlainDefault)
      .map(
        ({ gateway = '' }): ConfigLine => [gateway.includes(':') ? 'ipv6.gateway' : 'ipv4.gateway', gateway],
      ),
  ]
}

/**
 * The name that the host sees of an interface: what `<target dev>` says, or one made of the domain's name and
 * uuid, which is the same at each start. At most 15 characters, as the kernel wants it.
 */
export function hostLinkName(document: DomainXml, index: number): string {
  const given = document.devices.interfaces[index]?.target?.dev
  if (given !== undefined && !isGeneratedName(given)) return given
  return generatedLinkName(document, index)
}

/** The name on the host of an interface that has none: the same for the same domain and number. */
export function generatedLinkName(document: DomainXml, index: number): string {
  const readable = document.name.replace(/[^A-Za-z0-9]/g, '').slice(0, 6)
  return `v${readable}${digest(document, `link ${index}`).slice(0, 8)}`
}

/** Names that libvirt makes itself, and therefore overlooks in definitions. */
export function isGeneratedName(name: string): boolean {
  return /^(vnet|veth|vif)\d*$/.test(name)
}

/** A MAC address in the range that QEMU and libvirt use, the same for the same domain and interface. */
export function generatedMac(document: DomainXml, index: number): string {
  const pairs = digest(document, `mac ${index}`).match(/../g) ?? []
  return ['52', '54', '00', ...pairs.slice(0, 3)].join(':')
}

function digest({ uuid, name }: DomainXml, purpose: string): string {
  return createHash('sha256')
    .update(`${uuid ?? name}\0${purpose}`)
    .digest('hex')
}
