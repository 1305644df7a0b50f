import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { finished } from 'node:stream/promises'
import { type Clock, type ConsoleOptions, VirError } from '@covirt/core'
import { toVirError } from '../lxc-errors.js'
import { type Container, type LxcConsole, LxcError, openConsole } from '../native.js'

/** The alias of a container's one console. */
export const consoleAlias = 'console0'

/** The monitor notices a moment later that a console was closed. */
const busyRetryMs = 5
const busyPatienceMs = 1000
/** How long the last output of a guest that has gone may take to be read. */
const drainMs = 50

/** The console of one container, which one at a time may have open. */
export class ConsoleSlot {
  readonly #container: Container
  readonly #clock: Clock
  #open: LxcConsole | undefined
  #turn: Promise<unknown> = Promise.resolve()

  constructor(container: Container, clock: Clock) {
    this.#container = container
    this.#clock = clock
  }

  /** See {@link ConsoleRole.openConsole}. */
  open(name: string, options: ConsoleOptions): Promise<Duplex> {
    const turn = this.#turn.then(() => this.#take(name, options))
    this.#turn = turn.catch(() => {})
    return turn
  }

  /** The guest is gone: lets who has the console open read the rest, and closes it. */
  async drain(): Promise<void> {
    const stream = this.#open?.stream
    if (!stream) return
    await Promise.race([finished(stream).catch(() => {}), this.#clock.sleep(drainMs)])
    await this.close()
  }

  /** Takes the console away from who has it open. */
  async close(): Promise<void> {
    const stream = this.#open?.stream
    if (!stream) return
    const closed = stream.closed ? undefined : once(stream, 'close')
    stream.destroy()
    await closed
    this.#open = undefined
  }

  async #take(name: string, { device, force, signal }: ConsoleOptions): Promise<Duplex> {
    if (device !== undefined && device !== consoleAlias) {
      throw new VirError('INVALID_ARG', `${name} has no console '${device}'`, {
        domain: 'LXC',
        hint: `A container has one: '${consoleAlias}'`,
      })
    }
    if (this.#open) {
      if (!force) throw taken(name)
      await this.close()
    }
    const opened = await this.#acquire(name, signal)
    this.#open = opened
    // Who ends it will read no more; a terminal has no half-open state.
    opened.stream.once('finish', () => opened.stream.destroy())
    opened.stream.once('close', () => {
      if (this.#open === opened) this.#open = undefined
    })
    return opened.stream
  }

  async #acquire(name: string, signal: AbortSignal | undefined): Promise<LxcConsole> {
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

function taken(name: string): VirError {
  return new VirError('OPERATION_FAILED', `The console of ${name} is in use`, {
    domain: 'LXC',
    hint: 'Take it away from whoever has it with force, or close it there (lxc-console, too)',
  })
}
