import { type Command, Option } from 'commander'
import type { CreateContainerFlags } from '../cli/create-container.js'
import { parseMemoryKib } from '../cli/option-values.js'
import { rootfsTemplates } from '../create-rootfs.js'
import type { Select } from './select.js'

const defaultMemoryKib = 512 * 1024

/** `create-container`. */
export function addContainerCommands(program: Command, select: Select): void {
  program
    .command('create-container')
    .argument('<name>', 'name and hostname of the container')
    .addOption(
      new Option(
        '--template <name>',
        'busybox: from what is on this machine; debian: bootstrapped from the network',
      )
        .choices(rootfsTemplates)
        .default('busybox'),
    )
    .option('--memory <size>', 'how much memory it may use, such as 512M', parseMemoryKib, defaultMemoryKib)
    .option('--bridge <name>', 'connect it to this bridge; without, it has no network')
    .option('--suite <name>', 'Debian release, such as bookworm; default: that of this machine')
    .option('--mirror <url>', "Debian mirror; default: the template tool's own")
    .option('--start', 'start it')
    .description('make a container: root file system, definition, and with --start the guest')
    .addHelpText(
      'after',
      '\nExamples:\n  covirt create-container web --start && covirt console web\n' +
        '  covirt create-container db --template debian --memory 2G --bridge br0\n',
    )
    .action((name: string, flags: CreateContainerFlags) =>
      select(async (cli) => {
        const { createContainer } = await import('../cli/create-container.js')
        await createContainer(cli, name, flags)
      }),
    )
}
