import type { Duplex } from 'node:stream'
import type { VirError } from '@covirt/core'
import {
  type ArgsOf,
  Channel,
  decodeValue,
  encodeFrame,
  errorRecord,
  type Frame,
  frameStatuses,
  frameTypes,
  keepaliveOf,
  type ProcedureName,
  pongFrame,
  procedures,
  type ResultOf,
} from '@covirt/protocol'

type Procedures = typeof procedures

/** A client that does as it is told, also what it should not do. */
export class WireClient {
  /** Whatever came that answers no call. */
  readonly messages: Frame[] = []
  /** What came for streams. */
  readonly streamFrames: Frame[] = []
  readonly channel: Channel
  /** Resolves once the connection has ended. */
  readonly closed: Promise<VirError | undefined>
  answersPings = true
  pings = 0
  readonly #waiting = new Map<number, (frame: Frame) => void>()
  readonly #watchers = new Set<() => void>()
  #serial = 1

  constructor(duplex: Duplex) {
    let resolveClosed: (reason: VirError | undefined) => void = () => {}
    this.closed = new Promise((resolve) => {
      resolveClosed = resolve
    })
    this.channel = new Channel(duplex, {
      onFrame: (frame) => this.#receive(frame),
      onClose: (reason) => resolveClosed(reason),
    })
  }

  /** Calls and resolves to the result; rejects with the error that was answered. */
  async call<N extends ProcedureName>(
    name: N,
    args: ArgsOf<Procedures[N]>,
  ): Promise<ResultOf<Procedures[N]>> {
    const { reply } = this.begin(name, args)
    const frame = await reply
    if (frame.status === frameStatuses.error) throw decodeValue(errorRecord, frame.payload)
    return decodeValue<unknown>(procedures[name].result, frame.payload) as ResultOf<Procedures[N]>
  }

  /** Calls without waiting. */
  begin<N extends ProcedureName>(name: N, args: ArgsOf<Procedures[N]>) {
    const { program, number, args: codec } = procedures[name]
    const serial = this.#serial++
    const header = {
      program: program.number,
      version: program.version,
      procedure: number,
      type: frameTypes.call,
      serial,
      status: frameStatuses.ok,
    }
    const reply = this.raw(
      encodeFrame(header, (writer) => codec.encode(writer, args as never)),
      serial,
    )
    return { header, reply }
  }

  /** Sends any bytes and waits for a reply with this serial. */
  raw(packet: Buffer, serial: number): Promise<Frame> {
    const reply = new Promise<Frame>((resolve) => this.#waiting.set(serial, resolve))
    this.channel.send(packet)
    return reply
  }

  /** Opens the connection. */
  async open(uri: string, flags = 0): Promise<this> {
    await this.call('connectOpen', { name: uri, flags })
    return this
  }

  /** Resolves as soon as `condition` holds; it is looked at after each packet. */
  async until(condition: () => boolean): Promise<void> {
    if (condition()) return
    await new Promise<void>((resolve) => {
      const watch = () => {
        if (!condition()) return
        this.#watchers.delete(watch)
        resolve()
      }
      this.#watchers.add(watch)
    })
  }

  #receive(frame: Frame): void {
    if (keepaliveOf(frame) === 'ping') {
      this.pings++
      if (this.answersPings) this.channel.send(pongFrame)
    } else if (frame.type === frameTypes.reply || frame.type === frameTypes.replyWithDescriptors) {
      const resolve = this.#waiting.get(frame.serial)
      this.#waiting.delete(frame.serial)
      if (resolve) resolve(frame)
      else this.messages.push(frame)
    } else if (frame.type === frameTypes.stream || frame.type === frameTypes.streamHole) {
      this.streamFrames.push({ ...frame, payload: Buffer.from(frame.payload) })
    } else this.messages.push({ ...frame, payload: Buffer.from(frame.payload) })
    for (const watch of [...this.#watchers]) watch()
  }
}
