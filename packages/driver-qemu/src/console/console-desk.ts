import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type Clock, type ConsoleOptions, messageOf, throwIfAborted, VirError } from '@covirt/core'
import type { Line } from '../command-line/character-devices.js'
import { ConsoleStream } from './console-stream.js'

/** Hands out the consoles of one guest, each to one holder at a time. */
export class ConsoleDesk {
  readonly #lines: readonly Line[]
  readonly #connect: (socket: string) => Promise<Socket>
  readonly #clock: Clock
  readonly #holders = new Map<string, ConsoleStream | 'opening'>()

  constructor(lines: readonly Line[], connect: (socket: string) => Promise<Socket>, clock: Clock) {
    this.#lines = lines
    this.#connect = connect
    this.#clock = clock
  }

  /** As the console role promises. */
  async open({ device, force, signal }: ConsoleOptions): Promise<Duplex> {
    const line = this.#find(device)
    const holder = this.#holders.get(line.alias)
    if (holder !== undefined) {
      if (!force || holder === 'opening') throw this.#busy(line)
      holder.revoke()
    }
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

  /** Ends all streams. */
  close(): void {
    for (const holder of this.#holders.values()) if (holder !== 'opening') holder.revoke()
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
