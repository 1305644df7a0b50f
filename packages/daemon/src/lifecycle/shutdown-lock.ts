import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { type Clock, type Logger, messageOf } from '@covirt/core'

const logind = [
  'org.freedesktop.login1',
  '/org/freedesktop/login1',
  'org.freedesktop.login1.Manager',
] as const
const [service, path, manager] = logind

/** The programs that a {@link ShutdownLock} runs, each as its name and arguments. */
export interface ShutdownLockPrograms {
  /** Holds the lock for as long as the program runs that follows it, and ends when we do, however that is. */
  readonly hold: readonly string[]
  /** The same, without the lock. */
  readonly wait: readonly string[]
  /** Prints each `PrepareForShutdown` of logind's, as busctl(1) does; something to standard error once it listens. */
  readonly listen: readonly string[]
  /** Prints `b true` where the host is about to go down. */
  readonly ask: readonly string[]
}

// Whatever becomes of us, no lock is left that nobody gives back.
const endWithUs = ['setpriv', '--pdeathsig', 'TERM', '--']

const systemPrograms: ShutdownLockPrograms = {
  hold: [
    ...endWithUs,
    'systemd-inhibit',
    '--what=shutdown',
    '--mode=delay',
    '--who=covirtd',
    '--why=Guests go down before what they stand on',
  ],
  wait: endWithUs,
  // Not as JSON: since systemd 255 it does not say then that it listens.
  listen: [
    'busctl',
    '--system',
    `--match=type='signal',sender='${service}',path='${path}',interface='${manager}',member='PrepareForShutdown'`,
    'monitor',
  ],
  ask: ['busctl', '--system', 'get-property', ...logind, 'PreparingForShutdown'],
}

/** Whether logind runs, as sd-login(3) finds out. */
export function hasLogind(): boolean {
  return existsSync('/run/systemd/seats')
}

const run = promisify(execFile)

const firstPauseMs = 1000
const longestPauseMs = 60_000

/** What a {@link ShutdownLock} works with. */
export interface ShutdownLockParts {
  readonly clock: Clock
  readonly logger: Logger
  /** The host is about to go down, or, after that, is not any more. It must not throw. */
  readonly onChange: (goingDown: boolean) => void
  readonly programs?: ShutdownLockPrograms | undefined
}

/**
 * A lock of logind's that delays a shutdown of the host (systemd-inhibit(1)), so that it is heard of before anything is
 * torn down. It delays by `InhibitDelayMaxSec` of logind.conf(5) at most.
 */
export class ShutdownLock {
  readonly #parts: ShutdownLockParts
  readonly #programs: ShutdownLockPrograms
  #held = true
  #goingDown = false
  /** `taken`: logind was heard since. `out`: it was said that it is not. */
  #state: 'new' | 'taken' | 'out' = 'new'
  /** The child is ended by us, as it is to hold the lock from now on, or not any more. */
  #isReplaced = false
  #heard = 0
  #child: ChildProcess | undefined

  constructor(parts: ShutdownLockParts) {
    this.#parts = parts
    this.#programs = parts.programs ?? systemPrograms
  }

  /**
   * Takes the lock and listens until `signal` fires; takes it again where it is lost. Resolves once nothing of it is
   * left; at once where a program for it is not installed.
   */
  async keep(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#parts
    const onAbort = () => void this.#child?.kill()
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      for (let pauseMs = firstPauseMs; !signal.aborted; ) {
        const began = clock.now()
        this.#isReplaced = false
        const why = await this.#listen()
        if (signal.aborted || this.#isReplaced) continue
        if (why.missing) return logger.info('no lock of logind’s is taken', { reason: why.text })
        if (clock.now() - began > longestPauseMs) pauseMs = firstPauseMs
        this.#tellOfOutage({ reason: why.text, inMs: pauseMs })
        await clock.sleep(pauseMs, { signal }).catch(() => {})
        pauseMs = Math.min(2 * pauseMs, longestPauseMs)
      }
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  /**
   * Gives the lock back, so that the host goes down without further delay; what becomes of that is still heard. Where
   * the host does not go down any more, the lock is kept.
   */
  release(): void {
    if (this.#goingDown) this.#hold(false)
  }

  #hold(held: boolean): void {
    if (this.#held === held) return
    this.#held = held
    this.#isReplaced = true
    this.#child?.kill()
  }

  /** Once each time that there is none. */
  #tellOfOutage(facts: Readonly<Record<string, unknown>>): void {
    const { logger } = this.#parts
    // logind and the bus go down with the host.
    if (this.#goingDown || this.#state === 'out') {
      logger.debug('logind cannot be heard, and is tried again', facts)
      return
    }
    if (this.#state === 'taken') logger.warn('the lock of logind’s was lost, and is taken again', facts)
    else logger.warn('the lock of logind’s cannot be taken, and is tried again', facts)
    this.#state = 'out'
  }

  /** Until it is over; why that is. */
  async #listen(): Promise<{ readonly text: string; readonly missing?: boolean }> {
    const { hold, wait, listen } = this.#programs
    const [program = '', ...args] = [...(this.#held ? hold : wait), ...listen]
    let said = ''
    try {
      const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
      this.#child = child
      // Without descriptors left Node gives a child that has none of them.
      const { stdout, stderr }: { readonly stdout?: Readable; readonly stderr?: Readable } = child
      if (stdout) createInterface(stdout).on('line', (line) => this.#hear(line))
      stderr?.on('data', (chunk: Buffer) => {
        said = chunk.toString().trim().slice(0, 500)
      })
      // What was said before anybody listened is asked for.
      stderr?.once('data', () => void this.#ask(child))
      const [code, signal] = await once(child, 'close')
      return { text: [signal ?? `exit code ${code}`, said].filter(Boolean).join(': '), missing: code === 127 }
    } catch (error) {
      return { text: messageOf(error), missing: (error as NodeJS.ErrnoException).code === 'ENOENT' }
    } finally {
      this.#child = undefined
    }
  }

  #hear(line: string): void {
    const told = /^\s*BOOLEAN (true|false);$/.exec(line)
    if (!told) return
    this.#heard += 1
    this.#state = 'taken'
    this.#tell(told[1] === 'true')
  }

  async #ask(asking: ChildProcess): Promise<void> {
    const [program = '', ...args] = this.#programs.ask
    const heard = this.#heard
    try {
      const { stdout } = await run(program, args, { timeout: 5000 })
      const answer = /^b (true|false)\s*$/.exec(stdout)
      if (!answer || this.#child !== asking) return
      this.#state = 'taken'
      // What is heard meanwhile is newer.
      if (this.#heard === heard) this.#tell(answer[1] === 'true')
    } catch (error) {
      this.#parts.logger.debug('logind does not say whether the host goes down', { error: messageOf(error) })
    }
  }

  #tell(goingDown: boolean): void {
    if (this.#goingDown === goingDown) return
    this.#goingDown = goingDown
    this.#parts.onChange(goingDown)
    if (!goingDown) this.#hold(true)
  }
}
