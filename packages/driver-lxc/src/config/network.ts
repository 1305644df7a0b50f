import { createHash } from 'node:crypto'
import type { DomainXml, InterfaceXml } from '@covirt/xml'
import type { ConfigLine } from './config-lines.js'

/** A network namespace of its own, with a veth pair for each `<interface>`; without any, with nothing in it. */
export function networkLines(document: DomainXml): ConfigLine[] {
  const { interfaces } = document.devices
  if (interfaces.length === 0) return [['lxc.net.0.type', 'empty']]
  return interfaces.flatMap((each, index) =>
    vethLines(each, index, hostLinkName(document, index)).map(
      ([key, value]): ConfigLine => [`lxc.net.${index}.${key}`, value],
    ),
  )
}

function vethLines(link: InterfaceXml, index: number, pair: string): ConfigLine[] {
  const bridge = link.type === 'bridge' ? link.source?.bridge : undefined
  return [
    ['type', 'veth'],
    ['link', bridge ?? ''],
    ['veth.pair', pair],
    ['name', link.guest?.dev ?? `eth${index}`],
    ...(link.linkState === 'down' ? [] : [['flags', 'up'] as const]),
    ...(link.mac?.address === undefined ? [] : [['hwaddr', link.mac.address] as const]),
    ...(link.mtu === undefined ? [] : [['mtu', String(link.mtu)] as const]),
    ...link.ips.map(({ address, prefix }): ConfigLine => {
      const isV6 = address.includes(':')
      return [isV6 ? 'ipv6.address' : 'ipv4.address', `${address}/${prefix ?? (isV6 ? 64 : 24)}`]
    }),
    ...link.routes.map(
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
  const readable = document.name.replace(/[^A-Za-z0-9]/g, '').slice(0, 6)
  return `v${readable}${digest(document, `link ${index}`).slice(0, 8)}`
}

/** Names that libvirt makes itself, and therefore overlooks in definitions. */
function isGeneratedName(name: string): boolean {
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
