import { isIP } from 'node:net'
import type { InterfaceXml } from '@covirt/xml'

/** A `<route>` of an `<interface>`. */
type RouteXml = InterfaceXml['routes'][number]

/** Where a route leads to. */
interface Destination {
  readonly address: string
  readonly prefix: number
}

/** Whether it is one that liblxc has a word for: the default route, of no particular metric. */
export function isPlainDefault(route: RouteXml): boolean {
  return destinationOf(route)?.prefix === 0 && (route.metric ?? 0) === 0
}

/** A route as the program that sets it takes it; `link` is what the container calls that. */
export function routeWords(route: RouteXml, link: string): string {
  const { address, prefix } = destinationOf(route) as Destination
  return `${link},${address}/${prefix},${route.gateway},${route.metric ?? 0}`
}

/** What is wrong with a route. */
export function routeMistake(route: RouteXml): string | undefined {
  const { family, address, netmask, gateway } = route
  const version = isIP(gateway ?? '')
  if (version === 0 || gateway?.includes('%')) return `gateway='${gateway ?? ''}' is not an IP address`
  if (family !== undefined && family !== `ipv${version}`) return `gateway='${gateway}' is not of ${family}`
  if (address !== undefined && (isIP(address) !== version || address.includes('%')))
    return `address='${address}' is not an ${version === 4 ? 'IPv4' : 'IPv6'} address, as its gateway is`
  if (netmask !== undefined && maskPrefix(netmask) === undefined) return `netmask='${netmask}' is none`
  const destination = destinationOf(route)
  if (!destination || destination.prefix > (version === 4 ? 32 : 128)) return 'its prefix is out of range'
  return undefined
}

function destinationOf({ address, netmask, prefix, gateway = '' }: RouteXml): Destination | undefined {
  const isV4 = isIP(gateway) === 4
  const anywhere = isV4 ? '0.0.0.0' : '::'
  if (address === undefined || address === anywhere) {
    const given = netmask === undefined ? prefix : maskPrefix(netmask)
    return { address: anywhere, prefix: given ?? 0 }
  }
  const given = netmask === undefined ? prefix : maskPrefix(netmask)
  return { address, prefix: given ?? defaultPrefix(address) }
}

/** As libvirt has it where a definition does not say: 64, and of IPv4 by the classes of old. */
export function defaultPrefix(address: string): number {
  if (isIP(address) !== 4) return 64
  const first = Number.parseInt(address, 10)
  return first < 128 ? 8 : first < 192 ? 16 : 24
}

/** The number of leading ones, where no others follow. */
function maskPrefix(netmask: string): number | undefined {
  if (isIP(netmask) !== 4) return undefined
  const bits = netmask
    .split('.')
    .map((part) => Number(part).toString(2).padStart(8, '0'))
    .join('')
  return /^1*0*$/.test(bits) ? bits.replaceAll('0', '').length : undefined
}
