import { type Duplex, Readable, Writable } from 'node:stream'
import { type ExecExit, type ExecProcess, isVirError, messageOf, VirError } from '@covirt/core'
import { decodeValue, type ExecPacket, encodeValue, execPacket } from '@covirt/protocol'

/** How much of its input goes into one packet at most, in bytes. */
const maxPacketBytes = 65_536

/** A program that runs in a guest of the peer: its stream of packets, taken apart. */
export class RemoteProcess implements ExecProcess {
  readonly pid: number | undefined
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  readonly exit: Promise<ExecExit>
  readonly #stream: Duplex
  /** The program does not read its input for now: what waits until it does. */
  #held: (() => void)[] | undefined
  #settle: { readonly resolve: (exit: ExecExit) => void; readonly reject: (error: unknown) => void } = {
    resolve: () => {},
    reject: () => {},
  }

  /** `stream` gives one packet at a time. */
  constructor(stream: Duplex, pid: number | undefined) {
    this.pid = pid
    this.#stream = stream
    this.exit = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    this.exit.catch(() => {})
    this.stdin = this.#input()
    this.stdout = this.#output('stdout')
    this.stderr = this.#output('stderr')
    stream.on('data', (bytes: Buffer) => this.#receive(bytes))
    stream.on('error', (error) => this.#over(error))
    stream.on('close', () =>
      this.#over(new VirError('OPERATION_FAILED', 'The program was lost sight of', { domain: 'RPC' })),
    )
  }

  resize(columns: number, rows: number): void {
    this.#tell({ kind: 'resize', columns, rows })
  }

  kill(signal: NodeJS.Signals = 'SIGTERM'): void {
    this.#tell({ kind: 'kill', signal })
  }

  /** Gives it up, whereupon the peer kills it. `exit` rejects with `error` unless it is over. */
  cancel(error: VirError): void {
    this.#settle.reject(error)
    this.#stream.destroy()
  }

  #input(): Writable {
    return new Writable({
      write: (chunk: Buffer, _encoding, done) => this.#whenTaken(() => this.#writeInput(chunk, done)),
      final: (done) => this.#whenTaken(() => this.#tell({ kind: 'stdin-end' }, done)),
    })
  }

  #writeInput(chunk: Buffer, done: () => void): void {
    let last = 0
    for (; last + maxPacketBytes < chunk.length; last += maxPacketBytes)
      this.#tell({ kind: 'stdin', data: chunk.subarray(last, last + maxPacketBytes) })
    this.#tell({ kind: 'stdin', data: chunk.subarray(last) }, done)
  }

  #whenTaken(act: () => void): void {
    if (this.#held) this.#held.push(act)
    else act()
  }

  #letInputFlow(): void {
    const held = this.#held
    this.#held = undefined
    for (const act of held ?? []) act()
  }

  /** Where nobody reads it, the peer is asked to hold it. */
  #output(output: 'stdout' | 'stderr'): Readable {
    let held = false
    return new Readable({
      highWaterMark: maxPacketBytes,
      read: () => {
        if (held) this.#tell({ kind: 'flow', output })
        held = false
      },
    }).on('hold', () => {
      if (!held) this.#tell({ kind: 'hold', output })
      held = true
    })
  }

  #receive(bytes: Buffer): void {
    let packet: ExecPacket
    try {
      packet = decodeValue(execPacket, bytes)
    } catch (error) {
      this.#stream.destroy(error as Error)
      return
    }
    switch (packet.kind) {
      case 'stdout':
      case 'stderr':
        if (!this[packet.kind].push(packet.data)) this[packet.kind].emit('hold')
        break
      case 'stdout-end':
        this.stdout.push(null)
        break
      case 'stderr-end':
        this.stderr.push(null)
        break
      case 'hold':
        this.#held ??= []
        break
      case 'flow':
        this.#letInputFlow()
        break
      case 'exit':
        this.#settle.resolve({ code: packet.code })
        break
      case 'exit-signal':
        this.#settle.resolve({ signal: packet.signal as NodeJS.Signals })
        break
      default:
        this.#stream.destroy(
          new VirError('RPC', `'${packet.kind}' is not for a server to say`, { domain: 'RPC' }),
        )
    }
  }

  /** What is said to a program that has ended is not heard. */
  #tell(packet: ExecPacket, done: () => void = () => {}): void {
    if (!this.#stream.writable) done()
    else this.#stream.write(encodeValue(execPacket, packet), () => done())
  }

  #over(error: unknown): void {
    const known = isVirError(error) ? error : new VirError('RPC', messageOf(error), { domain: 'RPC' })
    this.#settle.reject(known)
    this.#letInputFlow()
    for (const output of [this.stdout, this.stderr]) if (!output.readableEnded) output.push(null)
    this.stdin.destroy()
  }
}
