import { libraryVersion } from '@covirt/core'
import { Command, type OutputConfiguration } from 'commander'
import type { Select } from '../commands/select.js'
import { commandGroups } from './command-modules.js'
import { parseSeconds } from './option-values.js'

const defaultLockTimeoutSeconds = 10

const help = `
A DOMAIN is a name, a uuid or an id. A FILE may be - for standard input.

Exit codes:
  0    done
  1    it could not be done; standard error says why
  2    the command line makes no sense
  130  interrupted with ^C (128 + n: ended by signal n); what was under way has been undone

Environment:
  COVIRT_DEFAULT_URI  connection where -c is not given
                      (default: covirt:///system for root, covirt:///session for others)
  NO_COLOR            no colours

Examples:
  covirt create-container web --start     a busybox container in one line
  covirt list --all                       every container and virtual machine
  covirt console web                      its console; leave it with ^]
  covirt exec web -- ps                   a program inside
  covirt shutdown web --wait              down, cleanly
  covirt -c test:///default list          a playground that needs nothing installed
`

/**
 * The command line `args`: the program with the command that they name, or with all of them where they name none, as for
 * help. Once it is parsed `select` is called with what it asks for. Rejects as its `parse` throws.
 */
export async function createProgram(
  select: Select,
  {
    args = [],
    output = {},
  }: { readonly args?: readonly string[]; readonly output?: OutputConfiguration } = {},
): Promise<Command> {
  const program = withGlobalOptions(new Command('covirt').configureOutput(output))
  const [verb = ''] = program.parseOptions([...args]).operands
  const named = Object.values(commandGroups)
    .flat()
    .find(({ verbs }) => verbs.includes(verb))
  if (named) {
    const add = await named.load()
    add(program, select)
  } else await addAll(program, select)
  return program
}

async function addAll(program: Command, select: Select): Promise<void> {
  for (const [heading, modules] of Object.entries(commandGroups)) {
    program.commandsGroup(heading)
    for (const { load } of modules) {
      const add = await load()
      add(program, select)
    }
  }
}

function withGlobalOptions(program: Command): Command {
  return program
    .description('LXC containers and KVM/QEMU virtual machines through one API')
    .option(
      '-c, --connect <uri>',
      'what to connect to, such as covirt:///system, lxc:///system, test:///default',
    )
    .option('--json', 'print JSON; errors too, as {"error":{…}} on standard error, and help, as {"help":…}')
    .option(
      '--lock-timeout <seconds>',
      'how long to wait for another covirt that works on the same domains',
      parseSeconds,
      defaultLockTimeoutSeconds,
    )
    .option('--debug', 'tell on standard error what the drivers do, and the causes of errors')
    .addHelpText('after', help)
    .version(libraryVersion, '-V, --version', 'print the version of covirt')
    .showSuggestionAfterError()
    .exitOverride()
}
