import type { ChangeOptions, Domain } from '@covirt/core'
import type { Command } from 'commander'
import type { Cli } from '../cli/cli.js'
import { readDocument } from '../cli/read-document.js'
import { domainArgument, type Select } from './select.js'

/** Which of a domain's documents is changed. */
export type ChangeFlags = Pick<ChangeOptions, 'live' | 'config'>

/** The options of commands that change a guest, its definition, or both. */
export function withChangeFlags(command: Command): Command {
  return command
    .option('--live', 'of the guest (default where it runs)')
    .option('--config', 'in the definition (default where it is off); with --live in both')
}

/** `attach-device`, `detach-device`, `detach-device-alias`, `update-device`. */
export function addDeviceCommands(program: Command, select: Select): void {
  const command = (name: string, description: string) =>
    withChangeFlags(program.command(name).argument('<domain>', domainArgument).description(description))
  const fileCommand = (
    name: string,
    description: string,
    done: string,
    change: (domain: Domain, xml: string, options: ChangeOptions) => Promise<void>,
  ) =>
    command(name, description)
      .argument('<file>', "XML of one device, such as <interface type='bridge'>…; - for standard input")
      .addHelpText('after', `\nExamples:\n  covirt ${name} web disk.xml --live --config\n`)
      .action((domainName: string, file: string, flags: ChangeFlags) =>
        select(async (cli) => {
          const xml = await readDocument(file, cli)
          await changed(cli, domainName, done, (domain) =>
            change(domain, xml, { ...flags, signal: cli.signal }),
          )
        }),
      )
  fileCommand('attach-device', 'give a domain a device', 'was given a device', (domain, xml, options) =>
    domain.attachDevice(xml, options),
  )
  fileCommand('detach-device', 'take a device from a domain', 'has lost a device', (domain, xml, options) =>
    domain.detachDevice(xml, options),
  )
  fileCommand(
    'update-device',
    'change a device of a domain',
    'has a changed device',
    (domain, xml, options) => domain.updateDevice(xml, options),
  )
  command('detach-device-alias', 'take a device from a domain, by its alias')
    .argument('<alias>', 'as dumpxml shows it of a guest that runs, such as net0')
    .action((name: string, alias: string, flags: ChangeFlags) =>
      select((cli) =>
        changed(cli, name, 'has lost a device', (domain) =>
          domain.detachDeviceAlias(alias, { ...flags, signal: cli.signal }),
        ),
      ),
    )
}

/** Changes a domain and says so. */
export async function changed(
  cli: Cli,
  name: string,
  done: string,
  change: (domain: Domain) => Promise<void>,
): Promise<void> {
  const domain = await cli.domain(name)
  await change(domain)
  cli.result({ json: domain.ref, text: `Domain '${domain.name}' ${done}\n` })
}
