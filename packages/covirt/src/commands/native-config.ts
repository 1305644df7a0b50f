import type { Command } from 'commander'
import type { Cli } from '../cli/cli.js'
import { readDocument } from '../cli/read-document.js'
import type { Select } from './select.js'

/** `domxml-from-native`, `domxml-to-native`. */
export function addNativeConfigCommands(program: Command, select: Select): void {
  program
    .command('domxml-from-native')
    .argument('<format>', 'lxc-tools')
    .argument('<config>', "the configuration of the hypervisor's own tools; - for standard input")
    .description('print domain XML for a native configuration; stores nothing')
    .addHelpText(
      'after',
      '\nExamples:\n  covirt domxml-from-native lxc-tools /var/lib/lxc/web/config | covirt define -\n',
    )
    .action((format: string, file: string) => select((cli) => fromNative(cli, format, file)))
  program
    .command('domxml-to-native')
    .argument('<format>', 'lxc-tools')
    .argument('<file>', 'domain XML; - for standard input')
    .description('print the native configuration for domain XML; stores nothing')
    .addHelpText(
      'after',
      '\nExamples:\n  covirt dumpxml web --inactive | covirt domxml-to-native lxc-tools -\n',
    )
    .action((format: string, file: string) => select((cli) => toNative(cli, format, file)))
}

async function fromNative(cli: Cli, format: string, file: string): Promise<void> {
  const config = await readDocument(file, cli)
  const connection = await cli.connection()
  const xml = await connection.domainXmlFromNative(format, config, { signal: cli.signal })
  cli.result({ json: { format, xml }, text: xml.endsWith('\n') ? xml : `${xml}\n` })
}

async function toNative(cli: Cli, format: string, file: string): Promise<void> {
  const xml = await readDocument(file, cli)
  const connection = await cli.connection()
  const config = await connection.domainXmlToNative(format, xml, { signal: cli.signal })
  cli.result({ json: { format, config }, text: config.endsWith('\n') ? config : `${config}\n` })
}
