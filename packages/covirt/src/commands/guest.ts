import { type DomainEvent, type DriverEvent, throwIfAborted, VirError } from '@covirt/core'
import { type Command, Option } from 'commander'
import type { Cli } from '../cli/cli.js'
import { parseCount, parseSeconds } from '../cli/option-values.js'
import { toJson } from '../cli/output.js'
import { printable } from '../cli/text-width.js'
import { domainArgument, holdsTheRoot, type Select } from './select.js'

interface ConsoleFlags {
  readonly force?: boolean
  readonly shared?: boolean
  readonly history?: number
}

interface EventFlags {
  readonly domain?: string
  readonly event?: DomainEvent['type']
  readonly loop?: boolean
  readonly timestamp?: boolean
  /** In seconds. */
  readonly timeout?: number
}

/** What talks with guests and listens to them. */
export function addGuestCommands(program: Command, select: Select): void {
  program
    .command('console')
    .argument('<domain>', domainArgument)
    .argument('[device]', 'alias of a console or serial device, such as serial0')
    .option('--force', 'take it away from whoever has it open')
    .option('--shared', 'together with others that open it so')
    .option('--history <bytes>', 'begin with so much of what it printed before; implies --shared', parseCount)
    .description('connect to the console of a guest; ^] leaves it')
    .addHelpText('after', `${holdsTheRoot}\nExamples:\n  covirt console web\n`)
    .action((name: string, device: string | undefined, flags: ConsoleFlags) =>
      select(async (cli) => {
        const { attachConsole } = await import('../cli/attach-console.js')
        await attachConsole(cli, await cli.domain(name), {
          device,
          force: flags.force,
          shared: flags.shared ?? flags.history !== undefined,
          historyBytes: flags.history,
        })
      }),
    )
  program
    .command('event')
    .option('--domain <domain>', 'of this domain only')
    .addOption(new Option('--event <type>', 'of this type only').choices(['lifecycle', 'reboot', 'agent']))
    .option('--loop', 'go on until ^C or the timeout; otherwise it ends with the first event')
    .option('--timeout <seconds>', 'how long to wait at the most', parseSeconds)
    .option('--timestamp', 'begin lines with the time')
    .description('print events as they happen; with --json, one object a line')
    .addHelpText(
      'after',
      `${holdsTheRoot}\nExamples:\n  covirt event --loop --timestamp\n  covirt event --domain web --timeout 60\n`,
    )
    .action((flags: EventFlags) => select((cli) => printEvents(cli, flags)))
  program
    .command('qemu-agent-command')
    .argument('<domain>', domainArgument)
    .argument('<command>', 'a JSON object such as {"execute":"guest-ping"}')
    .option('--timeout <seconds>', 'how long the agent may take', parseSeconds)
    .description('send a command to the agent inside a guest')
    .action((name: string, command: string, { timeout }: { timeout?: number }) =>
      select(async (cli) => {
        const domain = await cli.domain(name)
        const timeoutMs = timeout === undefined ? undefined : timeout * 1000
        const answer = await domain.agentCommand(command, { timeoutMs, signal: cli.signal })
        cli.result({ json: JSON.parse(answer), text: `${answer}\n` })
      }),
    )
}

async function printEvents(cli: Cli, flags: EventFlags): Promise<void> {
  const connection = await cli.connection()
  const uuid = flags.domain === undefined ? undefined : (await cli.domain(flags.domain)).uuid
  const timeout = flags.timeout === undefined ? undefined : AbortSignal.timeout(flags.timeout * 1000)
  const ends = [cli.signal, cli.output.closed, timeout].filter((signal) => signal !== undefined)
  let count = 0
  for await (const event of connection.events({ signal: AbortSignal.any(ends) })) {
    if (event.type !== 'resync') {
      if (uuid !== undefined && event.domain.uuid !== uuid) continue
      if (flags.event !== undefined && event.type !== flags.event) continue
    }
    count += 1
    cli.output.write(cli.output.json ? `${toJson(event)}\n` : eventLine(event, flags))
    if (!flags.loop) break
  }
  throwIfAborted(cli.signal)
  if (count === 0 && timeout?.aborted) {
    throw new VirError('OPERATION_TIMEOUT', `No event within ${flags.timeout} s`, { domain: 'EVENT' })
  }
}

function eventLine(event: DriverEvent, { timestamp }: EventFlags): string {
  const time = timestamp ? `${new Date().toISOString()}: ` : ''
  if (event.type === 'resync')
    return `${time}${event.dropped ?? 'some'} events were lost: list the domains again\n`
  const details = detailsOf(event)
  return `${time}event '${event.type}' for domain '${printable(event.domain.name)}'${details}\n`
}

function detailsOf(event: DomainEvent): string {
  if (event.type === 'lifecycle') return `: ${event.event} ${event.detail}`
  return event.type === 'agent' ? `: ${event.state}` : ''
}
