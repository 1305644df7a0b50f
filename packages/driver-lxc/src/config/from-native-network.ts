import type { DomainInput } from '@covirt/xml'
import type { NativeLines } from './native-lines.js'

type DevicesInput = NonNullable<DomainInput['devices']>
type InterfaceInput = NonNullable<DevicesInput['interfaces']>[number]

/** The network links; those that the XML has no words for are left where they were. */
export function nativeInterfaces(lines: NativeLines): Pick<DevicesInput, 'interfaces' | 'hostdevs'> {
  const links = new Map<number, Map<string, string[]>>()
  const taken = lines.all(/^lxc\.net\.\d{1,3}\./)
  for (const [key, value] of taken) {
    const [, index = '0', name = ''] = /^lxc\.net\.(\d+)\.(.+)$/.exec(key) ?? []
    const link = links.get(Number(index)) ?? new Map<string, string[]>()
    links.set(Number(index), link.set(name, [...(link.get(name) ?? []), value]))
  }
  const interfaces: InterfaceInput[] = []
  const hostdevs: NonNullable<DevicesInput['hostdevs']>[number][] = []
  for (const [index, link] of [...links].sort(([a], [b]) => a - b)) {
    const first = (key: string) => link.get(key)?.[0]
    const type = first('type')
    if (type === 'phys') hostdevs.push(physicalLink(first('link') ?? ''))
    else if (type === 'veth' || type === 'macvlan') interfaces.push(linkOf(type, link, first))
    else if (type !== 'empty') lines.restore(taken.filter(([key]) => key.startsWith(`lxc.net.${index}.`)))
  }
  return { interfaces, ...(hostdevs.length > 0 ? { hostdevs } : {}) }
}

function physicalLink(name: string): NonNullable<DevicesInput['hostdevs']>[number] {
  return { mode: 'capabilities', type: 'net', source: { interface: name } }
}

const macvlanModes: Readonly<Record<string, 'private' | 'vepa' | 'bridge' | 'passthrough'>> = {
  private: 'private',
  vepa: 'vepa',
  bridge: 'bridge',
  passthru: 'passthrough',
}

function linkOf(
  type: 'veth' | 'macvlan',
  link: ReadonlyMap<string, readonly string[]>,
  first: (key: string) => string | undefined,
): InterfaceInput {
  const mac = first('hwaddr')
  const pair = first('veth.pair')
  const name = first('name')
  const mtu = first('mtu')
  const ips = ['ipv4.address', 'ipv6.address'].flatMap((key) => (link.get(key) ?? []).flatMap(addressOf))
  const routes = ['ipv4.gateway', 'ipv6.gateway'].flatMap((key) =>
    (link.get(key) ?? []).flatMap((gateway) => (/^[0-9A-Fa-f:.]+$/.test(gateway) ? { gateway } : [])),
  )
  const common = {
    ...(mac !== undefined && /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(mac) ? { mac: { address: mac } } : {}),
    ...(pair === undefined ? {} : { target: { dev: pair } }),
    ...(name === undefined ? {} : { guest: { dev: name } }),
    ...(mtu !== undefined && /^\d{1,5}$/.test(mtu) ? { mtu: Number(mtu) } : {}),
    ...(first('flags') === 'up' ? {} : { linkState: 'down' as const }),
    ips,
    routes,
  }
  const parent = first('link')
  if (type === 'macvlan') {
    const mode = macvlanModes[first('macvlan.mode') ?? 'private'] ?? 'private'
    return { type: 'direct', source: { ...(parent === undefined ? {} : { dev: parent }), mode }, ...common }
  }
  return parent === undefined
    ? { type: 'ethernet', ...common }
    : { type: 'bridge', source: { bridge: parent }, ...common }
}

/** `10.0.0.2/24 10.0.0.255`: the latter, the broadcast address, follows from the former. */
function addressOf(text: string): { address: string; prefix?: number }[] {
  const match = /^([0-9A-Fa-f:.]{2,45})(?:\/(\d{1,3}))?(?:\s|$)/.exec(text)
  if (!match?.[1]) return []
  return [{ address: match[1], ...(match[2] === undefined ? {} : { prefix: Number(match[2]) }) }]
}
