import { type Domain, isVirError, type ShutdownMode, shutdownModes, VirError } from '@covirt/core'
import { type Command, Option } from 'commander'
import type { Cli } from '../cli/cli.js'
import { parseSeconds } from '../cli/option-values.js'
import { readDocument } from '../cli/read-document.js'
import { domainArgument, type Select } from './select.js'

interface StartFlags {
  readonly paused?: boolean
  readonly console?: boolean
  readonly forceBoot?: boolean
}

interface ShutdownFlags {
  readonly mode?: ShutdownMode
  readonly wait?: boolean
  /** In seconds. */
  readonly timeout?: number
}

/** What brings domains up and down. */
export function addLifecycleCommands(program: Command, select: Select): void {
  program
    .command('create')
    .argument('<file>', 'domain XML; - for standard input')
    .option('--paused', 'leave the guest paused before its first instruction')
    .option('--console', 'open its console')
    .description('start a transient domain from XML')
    .action((file: string, flags: StartFlags) => select((cli) => create(cli, file, flags)))
  program
    .command('start')
    .argument('<domain>', domainArgument)
    .option('--paused', 'leave the guest paused before its first instruction')
    .option('--console', 'open its console')
    .option('--force-boot', 'boot, and throw away what managedsave has saved')
    .description('start a defined domain')
    .action((name: string, flags: StartFlags) => select((cli) => start(cli, name, flags)))
  program
    .command('shutdown')
    .argument('<domain>', domainArgument)
    .addOption(modeOption())
    .option('--wait', 'wait until it is off, asking again where the guest did not hear')
    .option('--timeout <seconds>', 'how long to wait at the most; implies --wait', parseSeconds)
    .description('ask the guest to shut down: once, unless told to wait')
    .addHelpText(
      'after',
      '\nExamples:\n  covirt shutdown web --wait\n  covirt shutdown web --timeout 60 || covirt destroy web\n',
    )
    .action((name: string, flags: ShutdownFlags) => select((cli) => shutdown(cli, name, flags)))
  program
    .command('reboot')
    .argument('<domain>', domainArgument)
    .addOption(modeOption())
    .description('ask the guest to restart')
    .action((name: string, { mode }: ShutdownFlags) =>
      select((cli) =>
        act(cli, name, (domain) => domain.reboot({ mode, signal: cli.signal }), 'is being rebooted'),
      ),
    )
  const simple: readonly [
    verb: string,
    done: string,
    description: string,
    (domain: Domain, cli: Cli) => Promise<void>,
  ][] = [
    [
      'reset',
      'was reset',
      "press the machine's reset button",
      (domain, { signal }) => domain.reset({ signal }),
    ],
    ['destroy', 'destroyed', 'end the guest at once', (domain, { signal }) => domain.destroy({ signal })],
    [
      'suspend',
      'suspended',
      'stop the guest until it is resumed',
      (domain, { signal }) => domain.suspend({ signal }),
    ],
    ['resume', 'resumed', 'let a suspended guest go on', (domain, { signal }) => domain.resume({ signal })],
  ]
  for (const [verb, done, description, action] of simple) {
    program
      .command(verb)
      .argument('<domain>', domainArgument)
      .description(description)
      .action((name: string) => select((cli) => act(cli, name, (domain) => action(domain, cli), done)))
  }
}

function modeOption(): Option {
  return new Option('--mode <mode>', 'by what means').choices(shutdownModes)
}

async function act(
  cli: Cli,
  text: string,
  action: (domain: Domain) => Promise<void>,
  done: string,
): Promise<void> {
  const domain = await cli.domain(text)
  await action(domain)
  cli.result({ json: domain.ref, text: `Domain '${domain.name}' ${done}\n` })
}

async function create(cli: Cli, file: string, flags: StartFlags): Promise<void> {
  const xml = await readDocument(file, cli)
  const { domains } = await cli.connection()
  const domain = await domains.create(xml, { paused: flags.paused, signal: cli.signal })
  const source = file === '-' ? 'standard input' : file
  await announce(cli, domain, `created from ${source}`, flags)
}

async function start(cli: Cli, text: string, flags: StartFlags): Promise<void> {
  const domain = await cli.domain(text)
  await domain.start({ paused: flags.paused, forceBoot: flags.forceBoot, signal: cli.signal })
  await announce(cli, domain, 'started', flags)
}

async function announce(cli: Cli, domain: Domain, done: string, flags: StartFlags): Promise<void> {
  if (flags.console) {
    const { attachConsole } = await import('../cli/attach-console.js')
    return attachConsole(cli, domain, {})
  }
  const id = await idOf(cli, domain)
  cli.result({ json: { ...domain.ref, id }, text: `Domain '${domain.name}' ${done}\n` })
}

/** A transient guest may have ended and gone by now. */
async function idOf(cli: Cli, domain: Domain): Promise<number | undefined> {
  try {
    return await domain.id({ signal: cli.signal })
  } catch (error) {
    if (isVirError(error, 'NO_DOMAIN')) return undefined
    throw error
  }
}

async function shutdown(cli: Cli, text: string, { mode, wait, timeout }: ShutdownFlags): Promise<void> {
  const domain = await cli.domain(text)
  if (!wait && timeout === undefined) {
    await domain.shutdown({ mode, signal: cli.signal })
    cli.result({ json: domain.ref, text: `Domain '${domain.name}' is being shut down\n` })
    return cli.note(`The guest was asked once; 'covirt shutdown ${domain.name} --wait' waits and asks again`)
  }
  cli.note(`Waiting for '${domain.name}' to shut down`)
  const state = await shutdownAndWait(cli, domain, { mode, timeoutSeconds: timeout })
  cli.result({ json: { ...domain.ref, ...state }, text: `Domain '${domain.name}' is shut off\n` })
}

async function shutdownAndWait(
  cli: Cli,
  domain: Domain,
  {
    mode,
    timeoutSeconds,
  }: { readonly mode: ShutdownMode | undefined; readonly timeoutSeconds: number | undefined },
) {
  const over = new AbortController()
  const timer =
    timeoutSeconds === undefined ? undefined : setTimeout(() => over.abort(), timeoutSeconds * 1000)
  const signal = AbortSignal.any([cli.signal, over.signal])
  // it listens before it asks: a transient domain disappears with its guest
  const off = domain.waitFor('shutoff', { signal })
  off.catch(() => {})
  try {
    await domain.shutdown({ mode, signal })
    return await off
  } catch (error) {
    if (!over.signal.aborted || cli.signal.aborted) throw error
    throw new VirError(
      'OPERATION_TIMEOUT',
      `Domain '${domain.name}' did not shut down within ${timeoutSeconds} s`,
      {
        domain: 'DOM',
        hint: `It has been asked and may still do so; 'covirt destroy ${domain.name}' ends it at once`,
      },
    )
  } finally {
    clearTimeout(timer)
    over.abort()
  }
}
