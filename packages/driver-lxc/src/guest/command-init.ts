import { anySignal, type CallOptions, type Clock } from '@covirt/core'
import type { InitKind, InitSignals } from '../host/init-kind.js'
import { attach, type Container, LxcError } from '../native.js'

/**
 * Programs of an init's own that tell it to go down and to restart. Debian's sysvinit does nothing at signals
 * (inittab(5): `powerwait` runs what is not there); openrc-init goes down at once at one, also in the middle of coming
 * up, and may then wait for ever for what it was starting.
 */
const commands: Readonly<Partial<Record<InitKind, Readonly<Record<keyof InitSignals, readonly string[]>>>>> =
  {
    sysvinit: { halt: ['telinit', '0'], reboot: ['telinit', '6'] },
    openrc: {
      halt: ['openrc-shutdown', '--poweroff', 'now'],
      reboot: ['openrc-shutdown', '--reboot', 'now'],
    },
  }
/** The exit codes of {@link attach} for what cannot be run. */
const notRun: readonly number[] = [126, 127]
const environment = { PATH: '/sbin:/usr/sbin:/bin:/usr/bin' }
/** Such a program gives up, or waits, where its init does not listen yet. */
const patienceMs = 3000
const stepMs = 50

interface InitCommand extends CallOptions {
  readonly kind: InitKind
  readonly wish: keyof InitSignals
  readonly clock: Clock
}

/**
 * Tells an init what is wished by its own program, run in the container. `unheard`: it does not listen, as while it boots;
 * `absent`: this kind of init has no such program, or the container has not.
 */
export async function commandInit(
  container: Container,
  { kind, wish, clock, signal }: InitCommand,
): Promise<'told' | 'unheard' | 'absent'> {
  const argv = commands[kind]?.[wish]
  if (argv === undefined) return 'absent'
  const patience = AbortSignal.timeout(patienceMs)
  while (!patience.aborted) {
    const end = await runInside(container, argv, { signal: anySignal(signal, patience) })
    if (signal?.aborted) throw signal.reason
    // One that is killed has told what ended it, with all else in the container.
    if (end === 0 || end === 'killed') return 'told'
    if (end !== undefined && notRun.includes(end)) return 'absent'
    await clock.sleep(stepMs, { signal })
  }
  return 'unheard'
}

/** Its exit code, or that it was ended from outside; `undefined` where it ended by our patience, or could not be run. */
async function runInside(
  container: Container,
  argv: readonly string[],
  options: CallOptions,
): Promise<number | 'killed' | undefined> {
  try {
    const program = await attach(container, argv, { ...options, env: environment })
    program.stdin.end()
    for (const stream of [program.stdout, program.stderr]) stream.resume()
    const exit = await program.exited
    return 'code' in exit ? exit.code : 'killed'
  } catch (error) {
    return error instanceof LxcError && error.code === 'ESRCH' ? 'killed' : undefined
  }
}
