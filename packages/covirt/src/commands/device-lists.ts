import { attributeOf, elementsOf, firstElementOf, readElement, type XmlElement } from '@covirt/xml'
import type { Command } from 'commander'
import type { Cli } from '../cli/cli.js'
import { formatTable } from '../cli/table.js'
import { domainArgument, type Select } from './select.js'

interface ListFlags {
  readonly inactive?: boolean
  readonly details?: boolean
}

/** `domiflist`, `domblklist`. */
export function addDeviceListCommands(program: Command, select: Select): void {
  const command = (name: string, description: string) =>
    program
      .command(name)
      .argument('<domain>', domainArgument)
      .option('--inactive', 'of the definition that the next start uses, even where the domain is active')
      .description(description)
  command('domiflist', 'the network interfaces of a domain').action((name: string, flags: ListFlags) =>
    select(async (cli) => {
      const interfaces = (await devicesOf(cli, name, 'interface', flags)).map(toInterface)
      const rows = interfaces.map(({ target = '-', type = '-', source = '-', model = '-', mac = '-' }) => [
        ...[target, type, source, model, mac],
      ])
      const text = formatTable(['Interface', 'Type', 'Source', 'Model', 'MAC'], rows)
      cli.result({ json: interfaces, text })
    }),
  )
  command('domblklist', 'the disks of a domain')
    .option('--details', 'what kinds of disks they are, too')
    .action((name: string, flags: ListFlags) =>
      select(async (cli) => {
        const disks = (await devicesOf(cli, name, 'disk', flags)).map(toDisk)
        const rows = disks.map(({ type = '-', device, target = '-', source = '-' }) => [
          ...(flags.details ? [type, device] : []),
          ...[target, source],
        ])
        const heading = [...(flags.details ? ['Type', 'Device'] : []), 'Target', 'Source']
        cli.result({ json: disks, text: formatTable(heading, rows) })
      }),
    )
}

async function devicesOf(
  cli: Cli,
  name: string,
  kind: 'disk' | 'interface',
  { inactive }: ListFlags,
): Promise<readonly XmlElement[]> {
  const domain = await cli.domain(name)
  const devices = firstElementOf(readElement(await domain.xml({ inactive, signal: cli.signal })), 'devices')
  return devices ? elementsOf(devices, kind) : []
}

function toInterface(element: XmlElement) {
  return {
    target: attributeIn(element, 'target', 'dev'),
    type: attributeOf(element, 'type'),
    source: attributeIn(element, 'source', 'network', 'bridge', 'dev', 'name', 'path'),
    model: attributeIn(element, 'model', 'type'),
    mac: attributeIn(element, 'mac', 'address'),
  }
}

function toDisk(element: XmlElement) {
  return {
    type: attributeOf(element, 'type'),
    device: attributeOf(element, 'device') ?? 'disk',
    target: attributeIn(element, 'target', 'dev'),
    source: attributeIn(element, 'source', 'file', 'dev', 'dir', 'name', 'volume'),
  }
}

/** The first of the attributes `names` that the child `child` has. */
function attributeIn(element: XmlElement, child: string, ...names: readonly string[]): string | undefined {
  const found = firstElementOf(element, child)
  if (!found) return undefined
  for (const name of names) {
    const value = attributeOf(found, name)
    if (value !== undefined) return value
  }
  return undefined
}
