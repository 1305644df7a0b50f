import { finished } from 'node:stream/promises'
import { type CallOptions, type Clock, type ConsoleOptions, type ConsoleStream, VirError } from '@covirt/core'
import { readLogTail, SharedConsole } from '@covirt/local'
import { toVirError } from '../lxc-errors.js'
import { type Container, type LxcConsole, LxcError, openConsole } from '../native.js'

/** The alias of a container's one console. */
export const consoleAlias = 'console0'

/** The monitor notices a moment later that a console was closed. */
const busyRetryMs = 5
const busyPatienceMs = 1000
/** How long the last output of a guest that has gone may take to be read. */
const drainMs = 50

/** Whose console it is. */
interface ConsoleSlotParts {
  /** Of the domain. */
  readonly name: string
  readonly container: Container
  readonly clock: Clock
  /** Where liblxc's monitor writes what the console prints, whether or not anybody reads it. */
  readonly consoleLog: string
}

/** The console of one container, which one at a time may have open. */
export class ConsoleSlot {
  readonly #container: Container
  readonly #shared: SharedConsole
  readonly #clock: Clock
  readonly #name: string
  #open: LxcConsole | undefined
  #turn: Promise<unknown> = Promise.resolve()

  constructor({ name, container, clock, consoleLog }: ConsoleSlotParts) {
    this.#name = name
    this.#container = container
    this.#clock = clock
    this.#shared = new SharedConsole({
      connect: async ({ signal }) => withResize(await this.#acquire(signal)),
      readHistory: (bytes) => readLogTail(consoleLog, bytes),
    })
  }

  /** See {@link ConsoleRole.openConsole}. */
  open(options: ConsoleOptions): Promise<ConsoleStream> {
    const turn = this.#turn.then(() => this.#take(options))
    this.#turn = turn.catch(() => {})
    return turn
  }

  /**
   * The guest is gone: lets who has the console open read the rest, and closes it; but for those who share it where
   * the guest `restarts`.
   */
  async drain({ restarts }: { readonly restarts: boolean }): Promise<void> {
    const stream = this.#open?.stream
    if (stream) await Promise.race([finished(stream).catch(() => {}), this.#clock.sleep(drainMs)])
    await (restarts ? this.#shared.detach() : this.#shared.end())
    await this.#closeOwn()
  }

  /** The guest has restarted: those who share the console see it again. */
  async reattach(): Promise<void> {
    await this.#shared.reattach()
  }

  /** Takes the console away from all who have it open. */
  async close(): Promise<void> {
    await this.#shared.end()
    await this.#closeOwn()
  }

  async #closeOwn(): Promise<void> {
    const stream = this.#open?.stream
    if (!stream) return
    const closed = stream.closed ? undefined : new Promise((resolve) => stream.once('close', resolve))
    stream.destroy()
    await closed
    this.#open = undefined
  }

  async #take(options: ConsoleOptions): Promise<ConsoleStream> {
    const { device, force, shared, historyBytes = 0, signal } = options
    const name = this.#name
    if (device !== undefined && device !== consoleAlias) {
      throw new VirError('INVALID_ARG', `${name} has no console '${device}'`, {
        domain: 'LXC',
        hint: `A container has one: '${consoleAlias}'`,
      })
    }
    if (this.#open || (this.#shared.inUse && !shared)) {
      if (!force) throw taken(name)
      await this.close()
    }
    if (shared) return this.#shared.join({ historyBytes, signal })
    const opened = await this.#acquire(signal)
    this.#open = opened
    // Who ends it will read no more; a terminal has no half-open state.
    opened.stream.once('finish', () => opened.stream.destroy())
    opened.stream.once('close', () => {
      if (this.#open === opened) this.#open = undefined
    })
    return withResize(opened)
  }

  async #acquire(signal: CallOptions['signal']): Promise<LxcConsole> {
    const name = this.#name
    const deadline = Date.now() + busyPatienceMs
    for (;;) {
      try {
        return await openConsole(this.#container, { signal })
      } catch (error) {
        const isBusy = error instanceof LxcError && error.code === 'EBUSY'
        if (!isBusy) throw toVirError(error, `Opening the console of ${name}`, signal)
        if (Date.now() > deadline) throw taken(name)
        await this.#clock.sleep(busyRetryMs, { signal })
      }
    }
  }
}

function withResize({ stream, resize }: LxcConsole): ConsoleStream {
  return Object.assign(stream, { resize })
}

function taken(name: string): VirError {
  return new VirError('OPERATION_FAILED', `The console of ${name} is in use`, {
    domain: 'LXC',
    hint: 'Take it away from whoever has it with force, or close it there (lxc-console, too)',
  })
}
