import { Duplex, type Readable } from 'node:stream'
import { type ExecProcess, isVirError, messageOf, VirError } from '@covirt/core'
import { decodeValue, type ExecPacket, encodeValue, execPacket } from '@covirt/protocol'
import { whenTaken } from './when-taken.js'

/** How much of a program's output goes into one packet at most, in bytes. */
const maxPacketBytes = 65_536
/** How much of its input may wait for a program, from a client that goes on sending when it is told to hold. */
const maxWaitingBytes = 1_048_576

/**
 * A running program as one stream of packets. Destroying it before the program has ended kills the program, by
 * firing `kill`.
 */
export class ExecStream extends Duplex {
  readonly #process: ExecProcess
  readonly #kill: () => void
  /** Outputs that the client does not read at the moment. */
  readonly #held = new Set<'stdout' | 'stderr'>()
  /** The program's end, and that of each of its outputs. */
  #open = 3
  /** The client was told to send no more input. */
  #holdsInput = false

  constructor(process: ExecProcess, kill: () => void) {
    super({ objectMode: true })
    this.#process = process
    this.#kill = kill
    // A program may close its input before it has read all of it.
    process.stdin.on('error', () => {})
    process.stdin.on('drain', () => this.#letInputFlow())
    this.#forward(process.stdout, 'stdout')
    this.#forward(process.stderr, 'stderr')
    void this.#tellEnd()
  }

  override _read(): void {
    this.#resume('stdout')
    this.#resume('stderr')
  }

  override _write(bytes: Buffer, _encoding: string, done: (error?: Error) => void): void {
    let packet: ExecPacket
    try {
      packet = decodeValue(execPacket, bytes)
    } catch (error) {
      done(error as Error)
      return
    }
    try {
      this.#obey(packet, done)
    } catch (cause) {
      done(new VirError('INVALID_ARG', `The program cannot do that: ${messageOf(cause)}`, { cause }))
    }
  }

  #obey(packet: ExecPacket, done: (error?: Error) => void): void {
    const { stdin } = this.#process
    switch (packet.kind) {
      case 'stdin':
        if (stdin.writable && !stdin.write(packet.data)) this.#holdInput()
        if (stdin.writableLength > maxWaitingBytes) {
          whenTaken(stdin, done)
          return
        }
        break
      case 'stdin-end':
        stdin.end()
        break
      case 'resize':
        this.#process.resize(packet.columns, packet.rows)
        break
      case 'kill':
        this.#process.kill(packet.signal as NodeJS.Signals)
        break
      case 'hold':
      case 'flow':
        this.#hold(packet.output === 'stderr' ? 'stderr' : 'stdout', packet.kind === 'hold')
        break
      default:
        done(new VirError('RPC', `'${packet.kind}' is not for a client to say`, { domain: 'RPC' }))
        return
    }
    done()
  }

  override _final(done: () => void): void {
    this.#process.stdin.end()
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (this.#open > 0) this.#kill()
    done(error)
  }

  #holdInput(): void {
    if (this.#holdsInput) return
    this.#holdsInput = true
    this.#tell({ kind: 'hold', output: 'stdin' })
  }

  #letInputFlow(): void {
    if (!this.#holdsInput) return
    this.#holdsInput = false
    this.#tell({ kind: 'flow', output: 'stdin' })
  }

  #hold(output: 'stdout' | 'stderr', held: boolean): void {
    if (held) {
      this.#held.add(output)
      this.#process[output].pause()
    } else {
      this.#held.delete(output)
      this.#resume(output)
    }
  }

  #resume(output: 'stdout' | 'stderr'): void {
    if (!this.#held.has(output)) this.#process[output].resume()
  }

  #forward(output: Readable, kind: 'stdout' | 'stderr'): void {
    output.on('data', (data: Buffer) => {
      for (let at = 0; at < data.length; at += maxPacketBytes)
        if (!this.#tell({ kind, data: data.subarray(at, at + maxPacketBytes) })) output.pause()
    })
    output.on('error', (error) => this.destroy(error))
    const onEnd = () => {
      this.#tell({ kind: `${kind}-end` })
      this.#countEnd()
    }
    // A pipe out of which nothing came ends before anyone reads it.
    if (output.readableEnded) onEnd()
    else output.on('end', onEnd)
  }

  async #tellEnd(): Promise<void> {
    try {
      const exit = await this.#process.exit
      if ('code' in exit) this.#tell({ kind: 'exit', code: exit.code })
      else this.#tell({ kind: 'exit-signal', signal: exit.signal })
      this.#countEnd()
    } catch (error) {
      this.destroy(
        isVirError(error) ? error : new VirError('OPERATION_FAILED', messageOf(error), { cause: error }),
      )
    }
  }

  #tell(packet: ExecPacket): boolean {
    return this.destroyed || this.push(encodeValue(execPacket, packet))
  }

  #countEnd(): void {
    this.#open--
    if (this.#open === 0 && !this.destroyed) this.push(null)
  }
}
