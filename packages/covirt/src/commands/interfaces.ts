import { VirError } from '@covirt/core'
import {
  attributeOf,
  elementsOf,
  firstElementOf,
  newElement,
  readElement,
  writeXml,
  type XmlElement,
} from '@covirt/xml'
import { type Command, Option } from 'commander'
import type { Cli } from '../cli/cli.js'
import { withChangeFlags } from './devices.js'
import { attachNewDevice, deviceXml, type NewDeviceFlags } from './new-device.js'
import { domainArgument, type Select } from './select.js'

/** Kinds of interfaces that one source is enough for, and the attribute that names it. */
const sourceAttributes = { network: 'network', bridge: 'bridge', direct: 'dev' } as const

const sourceModes = ['vepa', 'private', 'bridge', 'passthrough']

type InterfaceType = keyof typeof sourceAttributes

interface AttachFlags extends NewDeviceFlags {
  readonly mac?: string
  readonly model?: string
  readonly target?: string
  readonly sourceMode?: string
}

interface DetachFlags extends NewDeviceFlags {
  readonly mac?: string
}

/** `attach-interface`, `detach-interface`. */
export function addInterfaceCommands(program: Command, select: Select): void {
  const types = Object.keys(sourceAttributes)
  const command = (name: string, description: string) =>
    withChangeFlags(program.command(name).argument('<domain>', domainArgument).description(description))
  command('attach-interface', 'give a domain a network interface')
    .addArgument(program.createArgument('<type>', 'what it is connected to').choices(types))
    .argument('<source>', 'the name of the network or of the bridge; of direct, of the device of the host')
    .option('--mac <address>', 'its MAC address (default: a random one)')
    .option('--model <model>', 'what the guest sees, such as virtio')
    .option('--target <name>', 'what it is called on the host')
    .addOption(new Option('--source-mode <mode>', 'of direct: how it shares the device').choices(sourceModes))
    .option('--print-xml', 'only print its XML')
    .addHelpText('after', '\nExamples:\n  covirt attach-interface web bridge br0 --live --config\n')
    .action((name: string, type: InterfaceType, source: string, flags: AttachFlags) =>
      select((cli) =>
        attachNewDevice(cli, name, { kind: 'Interface', xml: interfaceXml(type, source, flags) }, flags),
      ),
    )
  command('detach-interface', 'take a network interface from a domain')
    .argument('<type>', 'what it is connected to, such as bridge; see domiflist')
    .option('--mac <address>', 'which one, where there are several')
    .option('--print-xml', 'only print its XML')
    .addHelpText('after', '\nExamples:\n  covirt detach-interface web bridge --mac 52:54:00:12:34:56\n')
    .action((name: string, type: string, flags: DetachFlags) =>
      select((cli) => detach(cli, name, type, flags)),
    )
}

function interfaceXml(type: InterfaceType, source: string, flags: AttachFlags): string {
  const { mac, model, target, sourceMode } = flags
  const children = [
    newElement('source', {
      [sourceAttributes[type]]: source,
      ...(sourceMode !== undefined && { mode: sourceMode }),
    }),
    ...(target === undefined ? [] : [newElement('target', { dev: target })]),
    ...(mac === undefined ? [] : [newElement('mac', { address: mac })]),
    ...(model === undefined ? [] : [newElement('model', { type: model })]),
  ]
  return deviceXml('interface', { type }, children)
}

async function detach(
  cli: Cli,
  name: string,
  type: string,
  { mac, live, config, printXml }: DetachFlags,
): Promise<void> {
  const domain = await cli.domain(name)
  const document = await domain.xml({ inactive: config === true && !live, signal: cli.signal })
  const found = chooseInterface(document, domain.name, type, mac)
  if (printXml) {
    const xml = writeXml(found)
    return cli.result({ json: { ...domain.ref, xml }, text: `${xml}\n` })
  }
  await domain.detachDevice(writeXml(identityOf(found)), { live, config, signal: cli.signal })
  cli.result({ json: domain.ref, text: 'Interface detached successfully\n' })
}

function chooseInterface(
  document: string,
  domain: string,
  type: string,
  mac: string | undefined,
): XmlElement {
  const devices = firstElementOf(readElement(document), 'devices')
  const found = (devices ? elementsOf(devices, 'interface') : []).filter(
    (element) =>
      attributeOf(element, 'type') === type &&
      (mac === undefined || macOf(element)?.toLowerCase() === mac.toLowerCase()),
  )
  const [first, second] = found
  const hint = `'covirt domiflist ${domain}' shows them`
  if (!first) {
    const which = mac === undefined ? '' : ` with the MAC address ${mac}`
    throw new VirError('DEVICE_MISSING', `Domain '${domain}' has no ${type} interface${which}`, {
      domain: 'DOM',
      hint,
    })
  }
  if (second) {
    const message = `Domain '${domain}' has ${found.length} such interfaces: choose one with --mac`
    throw new VirError('INVALID_ARG', message, { domain: 'DOM', hint })
  }
  return first
}

/** Enough to tell it apart in both of a domain's documents, of which only one has aliases and addresses. */
function identityOf(element: XmlElement): XmlElement {
  const mac = firstElementOf(element, 'mac')
  return mac ? { ...element, children: [mac] } : element
}

function macOf(element: XmlElement): string | undefined {
  const mac = firstElementOf(element, 'mac')
  return mac && attributeOf(mac, 'address')
}
