import { libraryVersion } from '@covirt/core'
import { Command, type OutputConfiguration } from 'commander'
import { addContainerCommands } from '../commands/container.js'
import { addDefinitionCommands } from '../commands/definition.js'
import { addDeviceCommands } from '../commands/devices.js'
import { addDomainInfoCommands } from '../commands/domain-info.js'
import { addGuestCommands } from '../commands/guest.js'
import { addHostCommands } from '../commands/host.js'
import { addInsideCommands } from '../commands/inside.js'
import { addLifecycleCommands } from '../commands/lifecycle.js'
import { addListCommand } from '../commands/list.js'
import { addNativeConfigCommands } from '../commands/native-config.js'
import { addPlanCommands } from '../commands/plans.js'
import { addProgramCommands } from '../commands/programs.js'
import { addSavedStateCommands } from '../commands/saved-state.js'
import { addScreenCommands } from '../commands/screen.js'
import { addShellCommands } from '../commands/shell.js'
import { addSnapshotCommands } from '../commands/snapshot.js'
import { addStatisticsCommands } from '../commands/statistics.js'
import { addTuningCommands } from '../commands/tuning.js'
import { addUnitCommands } from '../commands/units.js'
import type { Task } from './cli.js'
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

/** The whole command line. Where it makes sense, `select` is called with what it asks for. */
export function createProgram(select: (task: Task) => void, output: OutputConfiguration = {}): Command {
  const program = new Command('covirt')
    .configureOutput(output)
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
  program.commandsGroup('Domains:')
  addListCommand(program, select)
  addDefinitionCommands(program, select)
  addNativeConfigCommands(program, select)
  addLifecycleCommands(program, select)
  addDomainInfoCommands(program, select)
  program.commandsGroup('Guests:')
  addGuestCommands(program, select)
  addProgramCommands(program, select)
  addInsideCommands(program, select)
  addContainerCommands(program, select)
  program.commandsGroup('Snapshots:')
  addSnapshotCommands(program, select)
  addSavedStateCommands(program, select)
  program.commandsGroup('Devices:')
  addScreenCommands(program, select)
  addDeviceCommands(program, select)
  addTuningCommands(program, select)
  addStatisticsCommands(program, select)
  program.commandsGroup('Host:')
  addHostCommands(program, select)
  addPlanCommands(program, select)
  addUnitCommands(program, select)
  program.commandsGroup('Shell:')
  addShellCommands(program, select)
  return program
}
