import { type Command, Option } from 'commander'
import type { CloneFlags } from '../cli/clone.js'
import type { CreateContainerFlags } from '../cli/create-container.js'
import { parseMemoryKib } from '../cli/option-values.js'
import { rootfsTemplates } from '../create-rootfs.js'
import { domainArgument, type Select } from './select.js'

const defaultMemoryKib = 512 * 1024

/** `create-container`, `clone`. */
export function addContainerCommands(program: Command, select: Select): void {
  program
    .command('create-container')
    .argument('<name>', 'name and hostname of the container')
    .addOption(
      new Option(
        '--template <name>',
        'busybox: from what is on this machine (the default); debian: bootstrapped from the network',
      ).choices(rootfsTemplates),
    )
    .addOption(
      new Option(
        '--from <path>',
        'copy the root file system from this directory or tar archive; owners stay what they are',
      ).conflicts(['template', 'suite', 'mirror']),
    )
    .option('--init <path>', 'the program that it runs first; default: that of the template, else /sbin/init')
    .option('--memory <size>', 'how much memory it may use, such as 512M', parseMemoryKib, defaultMemoryKib)
    .option('--bridge <name>', 'connect it to this bridge; without, it has no network')
    .option('--suite <name>', 'Debian release, such as bookworm; default: that of this machine')
    .option('--mirror <url>', "Debian mirror; default: the template tool's own")
    .option(
      '--ephemeral',
      'start a transient one over the directory or domain that --from names; what it changes goes when it ends',
    )
    .option('--start', 'start it')
    .description('make a container: root file system, definition, and with --start the guest')
    .addHelpText(
      'after',
      '\nExamples:\n  covirt create-container web --start && covirt console web\n' +
        '  covirt create-container db --template debian --memory 2G --bridge br0\n' +
        '  covirt create-container shop --from rootfs.tar.xz --start\n',
    )
    .action((name: string, flags: CreateContainerFlags) =>
      select(async (cli) => {
        const { createContainer } = await import('../cli/create-container.js')
        await createContainer(cli, name, flags)
      }),
    )
  program
    .command('clone')
    .argument('<domain>', domainArgument)
    .argument('<new-name>', 'name and hostname of the clone')
    .option('--linked', 'keep only what it changes; it needs the root file system of the original as it is')
    .option('--start', 'start it')
    .description(
      'copy a container: its root file system and definition; one that runs is suspended meanwhile',
    )
    .addHelpText('after', '\nExamples:\n  covirt clone web web2 --start\n')
    .action((source: string, name: string, flags: CloneFlags) =>
      select(async (cli) => {
        const { clone } = await import('../cli/clone.js')
        await clone(cli, source, name, flags)
      }),
    )
}
