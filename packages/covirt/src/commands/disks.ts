import { newElement, writeXml } from '@covirt/xml'
import { type Command, Option } from 'commander'
import { type ChangeFlags, withChangeFlags } from './devices.js'
import { attachNewDevice, deviceXml, type NewDeviceFlags } from './new-device.js'
import { domainArgument, type Select } from './select.js'

/** Kinds of sources, and the attribute that names one. */
const sourceAttributes = { file: 'file', block: 'dev' } as const

interface AttachFlags extends NewDeviceFlags {
  readonly targetbus?: string
  readonly driver?: string
  readonly subdriver?: string
  readonly cache?: string
  readonly type?: string
  readonly mode?: 'readonly' | 'shareable'
  readonly sourcetype?: keyof typeof sourceAttributes
  readonly serial?: string
}

/** `attach-disk`, `detach-disk`. */
export function addDiskCommands(program: Command, select: Select): void {
  const command = (name: string, description: string) =>
    withChangeFlags(program.command(name).argument('<domain>', domainArgument).description(description))
  command('attach-disk', 'give a domain a disk')
    .argument('<source>', 'path of a file or of a block device')
    .argument('<target>', 'what the guest calls it, such as vdb')
    .addOption(
      new Option('--sourcetype <type>', 'what the source is (default: block of what is in /dev)').choices(
        Object.keys(sourceAttributes),
      ),
    )
    .addOption(new Option('--type <type>', 'what the guest sees').choices(['disk', 'cdrom', 'floppy', 'lun']))
    .option('--targetbus <bus>', 'what the guest has it on, such as virtio or scsi')
    .option('--driver <name>', 'who reads and writes it, such as qemu')
    .option('--subdriver <format>', 'the format of the source, such as qcow2')
    .option('--cache <mode>', 'how the host caches it, such as none')
    .addOption(new Option('--mode <mode>', 'how it is used').choices(['readonly', 'shareable']))
    .option('--serial <number>', 'its serial number')
    .option('--print-xml', 'only print its XML')
    .addHelpText(
      'after',
      '\nExamples:\n  covirt attach-disk web /srv/data.qcow2 vdb --subdriver qcow2 --config\n',
    )
    .action((name: string, source: string, target: string, flags: AttachFlags) =>
      select((cli) =>
        attachNewDevice(cli, name, { kind: 'Disk', xml: diskXml(source, target, flags) }, flags),
      ),
    )
  command('detach-disk', 'take a disk from a domain')
    .argument('<target>', 'what the guest calls it, such as vdb; see domblklist')
    .action((name: string, target: string, flags: ChangeFlags) =>
      select(async (cli) => {
        const domain = await cli.domain(name)
        const xml = writeXml(newElement('disk', {}, [newElement('target', { dev: target })]))
        await domain.detachDevice(xml, { ...flags, signal: cli.signal })
        cli.result({ json: domain.ref, text: 'Disk detached successfully\n' })
      }),
    )
}

function diskXml(source: string, target: string, flags: AttachFlags): string {
  const { sourcetype = source.startsWith('/dev/') ? 'block' : 'file' } = flags
  const driver = said({ name: flags.driver, type: flags.subdriver, cache: flags.cache })
  const children = [
    ...(Object.keys(driver).length === 0 ? [] : [newElement('driver', driver)]),
    newElement('source', { [sourceAttributes[sourcetype]]: source }),
    newElement('target', said({ dev: target, bus: flags.targetbus })),
    ...(flags.mode === undefined ? [] : [newElement(flags.mode)]),
    ...(flags.serial === undefined ? [] : [newElement('serial', {}, [flags.serial])]),
  ]
  return deviceXml('disk', said({ type: sourcetype, device: flags.type }), children)
}

function said(attributes: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}
