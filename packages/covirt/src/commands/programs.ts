import { type ExecOptions, type NamespaceName, namespaceNames, VirError } from '@covirt/core'
import type { Command } from 'commander'
import type { Cli } from '../cli/cli.js'
import { parseId } from '../cli/option-values.js'
import { ownTerminal } from '../cli/raw-terminal.js'
import { domainArgument, type Select } from './select.js'

interface ProgramFlags {
  readonly env: readonly string[]
  readonly cwd?: string
  readonly uid?: number
  readonly gid?: number
  /** Undefined: as the command's own. */
  readonly tty?: boolean
  readonly namespaces?: string
}

const collect = (value: string, all: readonly string[]) => [...all, value]

/** What runs programs inside of guests. */
export function addProgramCommands(program: Command, select: Select): void {
  const options = (command: Command) =>
    command
      .option('--env <name=value>', 'set a variable; may be repeated', collect, [])
      .option('--uid <id>', 'as this user of the guest (default: root)', parseId)
      .option('--gid <id>', 'as this group of the guest (default: root)', parseId)
  options(
    program
      .command('exec')
      .argument('<domain>', domainArgument)
      .argument('<command...>', 'the program and its arguments, after --')
      .description('run a program inside a guest; its exit code is that of the command')
      .option('--cwd <directory>', 'begin in this directory of the guest (default: /)')
      .option('--tty', 'on a terminal, also where the command itself is not on one')
      .option('--no-tty', 'without a terminal')
      .option(
        '--namespaces <list>',
        `only in these namespaces of the guest, of ${namespaceNames.join(',')}; in the host's otherwise`,
      ),
  )
    .addHelpText(
      'after',
      '\nExamples:\n  covirt exec web -- ls -l /etc\n  tar c site | covirt exec web -- tar x -C /srv\n  covirt exec --namespaces net web -- ip address\n',
    )
    .action((name: string, argv: readonly string[], flags: ProgramFlags) =>
      select(async (cli) => {
        const { runProgram } = await import('../cli/run-program.js')
        const domain = await cli.domain(name)
        const asked = flags.tty === true ? { columns: 80, rows: 24 } : undefined
        const tty = flags.tty === false || cli.output.json ? undefined : (ownTerminal(cli) ?? asked)
        await runProgram(
          cli,
          (streams) => domain.exec(argv, { ...execOptions(cli, flags, tty), ...streams }),
          tty,
        )
      }),
    )
  options(program.command('shell').argument('<domain>', domainArgument).description('a shell inside a guest'))
    .addHelpText('after', '\nExamples:\n  covirt shell web\n')
    .action((name: string, flags: ProgramFlags) =>
      select(async (cli) => {
        const { runProgram } = await import('../cli/run-program.js')
        const domain = await cli.domain(name)
        const tty = ownTerminal(cli) ?? { columns: 80, rows: 24 }
        await runProgram(cli, (streams) => domain.shell({ ...execOptions(cli, flags, tty), ...streams }), tty)
      }),
    )
}

function execOptions({ environment }: Cli, flags: ProgramFlags, tty: ExecOptions['tty']): ExecOptions {
  const { cwd, uid, gid, namespaces } = flags
  const terminal = tty && environment.TERM !== undefined ? { TERM: environment.TERM } : {}
  const env = { ...terminal, ...Object.fromEntries(flags.env.map(parseVariable)) }
  return { env, cwd, uid, gid, namespaces: namespaces?.split(',') as NamespaceName[] | undefined }
}

function parseVariable(text: string): [name: string, value: string] {
  const at = text.indexOf('=')
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)]
  throw new VirError('INVALID_ARG', `'${text}' is no variable`, { hint: 'For example --env LANG=C' })
}
