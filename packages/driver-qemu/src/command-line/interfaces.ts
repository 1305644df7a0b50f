import type { InterfaceXml } from '@covirt/xml'
import { device, json, malformed, unsupported } from './arguments.js'
import { type Machine, needsPci, virtio } from './machine.js'
import { pciPlacement } from './pci-address.js'

/** A network interface on the host that is to be put into a bridge once QEMU has made it. */
export interface Tap {
  /** Of the interface in the guest. */
  readonly alias: string
  readonly name: string
  readonly bridge: string
}

/** What one NIC is for QEMU and for the host. */
export interface Nic {
  readonly alias: string
  readonly args: readonly string[]
  readonly tap: Tap | undefined
  /** Its cable is not plugged in. */
  readonly isDown: boolean
}

const models = ['e1000', 'e1000e', 'rtl8139', 'ne2k_pci', 'pcnet'] as const

/** `-netdev` and `-device` of one interface; `alias` is its id. `tapName` is for one that names none. */
export function interfaceArguments(
  nic: InterfaceXml,
  alias: string,
  bootindex: number | undefined,
  tapName: string,
  machine: Machine,
): Nic {
  refuse(nic)
  const tap = tapOf(nic, alias, tapName)
  const model = nic.model ?? (machine.kind === 'microvm' ? 'virtio' : 'rtl8139')
  const isVirtio = model === 'virtio'
  if (!isVirtio) needsPci(machine, `<interface><model type='${model}'>`)
  if (!isVirtio && !models.some((known) => known === model))
    throw unsupported(`<interface><model type='${model}'>`, `Known are virtio, ${models.join(', ')}`)
  if (!isVirtio && nic.mtu !== undefined) throw unsupported(`<interface><mtu> for the model '${model}'`)
  const args = [
    ...backend(nic, alias, tap),
    ...device(isVirtio ? virtio(machine, 'net') : model, alias, {
      netdev: `host${alias}`,
      mac: nic.mac?.address,
      bootindex,
      // Its boot ROM: read only where it may be booted from, so that it need not be installed.
      romfile: bootindex === undefined && machine.kind !== 'microvm' ? '' : undefined,
      host_mtu: nic.mtu,
      rx_queue_size: nic.driver?.rxQueueSize,
      tx_queue_size: nic.driver?.txQueueSize,
      ...pciPlacement(nic.address, machine),
    }),
  ]
  return { alias, args, tap, isDown: nic.linkState === 'down' }
}

function backend(nic: InterfaceXml, alias: string, tap: Tap | undefined): string[] {
  const id = `host${alias}`
  // QEMU makes the interface itself, and with QEMU's end the kernel removes it.
  if (tap) return json('-netdev', { type: 'tap', id, ifname: tap.name, script: 'no', downscript: 'no' })
  if (nic.type !== 'user') throw unsupported(`<interface type='${nic.type}'>`, 'Known are user and bridge')
  const [ipv4, ipv6] = (['ipv4', 'ipv6'] as const).map((family) =>
    nic.ips.find((ip) => (ip.family ?? 'ipv4') === family),
  )
  return json('-netdev', {
    type: 'user',
    id,
    net: ipv4 && `${ipv4.address}/${ipv4.prefix ?? 24}`,
    'ipv6-prefix': ipv6?.address,
    'ipv6-prefixlen': ipv6 && (ipv6.prefix ?? 64),
  })
}

function tapOf(nic: InterfaceXml, alias: string, fallback: string): Tap | undefined {
  if (nic.type !== 'bridge') return undefined
  const bridge = nic.source?.bridge
  if (bridge === undefined) throw malformed("<interface type='bridge'>: <source bridge=…> is missing")
  const name = nic.target?.dev ?? fallback
  for (const link of [bridge, name]) {
    // As the kernel's dev_valid_name() has it, and nothing that a program could take for an option.
    if (!/^[^\s/:%-][^\s/:%]{0,14}$/.test(link))
      throw malformed(`<interface>: '${link}' is not a link's name`)
  }
  return { alias, name, bridge }
}

function refuse(nic: InterfaceXml): void {
  const { driver } = nic
  const refused = [
    [nic.bandwidth, 'bandwidth'],
    [nic.filterref, 'filterref'],
    [nic.vlan, 'vlan'],
    [nic.virtualport, 'virtualport'],
    [nic.script, 'script'],
    [nic.backend, 'backend'],
    [nic.coalesce, 'coalesce'],
    [nic.isolated, "port isolated='yes'"],
    [nic.guest?.dev, 'guest dev=…'],
    [nic.routes.length > 0, 'route'],
    [nic.type === 'user' && nic.source?.dev, 'source dev=…'],
    [nic.type !== 'user' && nic.ips.length > 0, 'ip'],
    [driver?.queues !== undefined && driver.queues > 1, 'driver queues=…'],
    [driver?.name !== undefined && driver.name !== 'qemu', `driver name='${driver?.name}'`],
    [driver?.txMode ?? driver?.ioeventfd ?? driver?.eventIdx, 'driver'],
  ] as const
  for (const [asked, what] of refused) if (asked) throw unsupported(`<interface><${what}>`)
}
