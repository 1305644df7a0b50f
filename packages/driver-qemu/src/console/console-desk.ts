import type { Socket } from 'node:net'
import {
  type Clock,
  type ConsoleOptions,
  messageOf,
  type ConsoleStream as OpenConsole,
  throwIfAborted,
  VirError,
} from '@covirt/core'
import { readLogTail, SharedConsole } from '@covirt/local'
import type { Line } from '../command-line/character-devices.js'
import { ConsoleStream } from './console-stream.js'

/** Hands out the consoles of one guest, each to one holder at a time, or to several who share it. */
export class ConsoleDesk {
  readonly #lines: readonly Line[]
  readonly #connect: (socket: string) => Promise<Socket>
  readonly #clock: Clock
  readonly #holders = new Map<string, ConsoleStream | 'opening'>()
  readonly #shared = new Map<string, SharedConsole>()

  constructor(lines: readonly Line[], connect: (socket: string) => Promise<Socket>, clock: Clock) {
    this.#lines = lines
    this.#connect = connect
    this.#clock = clock
  }

  /** As the console role promises. */
  async open({ device, force, shared, historyBytes = 0, signal }: ConsoleOptions): Promise<OpenConsole> {
    const line = this.#find(device)
    const sharing = this.#sharedConsole(line)
    if (sharing.inUse && !shared) {
      if (!force) throw this.#busy(line)
      await sharing.end()
    }
    if (sharing.inUse) return sharing.join({ historyBytes, signal })
    const holder = this.#holders.get(line.alias)
    if (holder !== undefined) {
      if (!force || holder === 'opening') throw this.#busy(line)
      holder.revoke()
    }
    return shared ? sharing.join({ historyBytes, signal }) : this.#open(line, signal)
  }

  /** Ends all streams. */
  async close(): Promise<void> {
    await Promise.all([...this.#shared.values()].map((shared) => shared.end()))
    for (const holder of this.#holders.values()) if (holder !== 'opening') holder.revoke()
  }

  #sharedConsole(line: Line): SharedConsole {
    const known = this.#shared.get(line.alias)
    if (known) return known
    const shared = new SharedConsole({
      connect: ({ signal }) => this.#open(line, signal),
      readHistory: async (bytes) => (line.log === undefined ? Buffer.alloc(0) : readLogTail(line.log, bytes)),
    })
    this.#shared.set(line.alias, shared)
    return shared
  }

  async #open(line: Line, signal: AbortSignal | undefined): Promise<ConsoleStream> {
    this.#holders.set(line.alias, 'opening')
    try {
      const socket = await this.#connect(line.socket)
      if (signal?.aborted) socket.destroy()
      throwIfAborted(signal)
      const stream = new ConsoleStream(socket, this.#clock, () => {
        if (this.#holders.get(line.alias) === stream) this.#holders.delete(line.alias)
      })
      this.#holders.set(line.alias, stream)
      return stream
    } catch (error) {
      this.#holders.delete(line.alias)
      if (error instanceof VirError) throw error
      throw new VirError(
        'OPERATION_FAILED',
        `The console '${line.alias}' cannot be opened: ${messageOf(error)}`,
        {
          domain: 'QEMU',
          cause: error,
        },
      )
    }
  }

  #find(device: string | undefined): Line {
    const line = device === undefined ? this.#lines[0] : this.#lines.find(({ alias }) => alias === device)
    if (line) return line
    const known = this.#lines.map(({ alias }) => alias).join(', ')
    throw new VirError(
      'INVALID_ARG',
      device === undefined ? 'The domain has no console' : `The domain has no console '${device}'`,
      {
        domain: 'QEMU',
        hint: known === '' ? "Add <serial type='pty'/> to <devices>" : `It has ${known}`,
      },
    )
  }

  #busy({ alias }: Line): VirError {
    return new VirError('OPERATION_FAILED', `The console '${alias}' is in use`, {
      domain: 'QEMU',
      hint: 'Take it away from its holder with force',
    })
  }
}
