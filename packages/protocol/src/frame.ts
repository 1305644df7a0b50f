import { limits } from './limits.js'
import { malformed, XdrWriter } from './xdr/index.js'

/** What a packet is, by its number on the wire. */
export const frameTypes = {
  call: 0,
  reply: 1,
  message: 2,
  stream: 3,
  callWithDescriptors: 4,
  replyWithDescriptors: 5,
  streamHole: 6,
} as const

/** How a packet is meant: `more` is one of several parts of a stream. */
export const frameStatuses = { ok: 0, error: 1, more: 2 } as const

/** What stands before each packet's payload. */
export interface FrameHeader {
  readonly program: number
  readonly version: number
  readonly procedure: number
  /** One of {@link frameTypes}. */
  readonly type: number
  /** Given by the caller; a reply and the packets of a stream repeat it. 0 for messages. */
  readonly serial: number
  /** One of {@link frameStatuses}. */
  readonly status: number
}

/** One packet. */
export interface Frame extends FrameHeader {
  /** A view of what was received: copy what is kept. */
  readonly payload: Buffer
  /** How many file descriptors were sent with it. */
  readonly descriptors: number
}

const headerBytes = 28
const noPayload = Buffer.alloc(0)

/**
 * A packet: its length, which counts itself, the header, and what `payload` writes or is.
 * `RPC` where it exceeds the protocol's bound. `descriptors` is needed for the two types that have them.
 */
export function encodeFrame(
  header: FrameHeader,
  payload: Uint8Array | ((writer: XdrWriter) => void) = noPayload,
  descriptors = 0,
): Buffer {
  const writer = new XdrWriter(typeof payload === 'function' ? 256 : headerBytes + 4 + payload.length)
  writer.uint32(0)
  writer.uint32(header.program)
  writer.uint32(header.version)
  writer.int32(header.procedure)
  writer.uint32(header.type)
  writer.uint32(header.serial)
  writer.uint32(header.status)
  if (hasDescriptors(header.type)) writer.uint32(descriptors)
  if (typeof payload === 'function') payload(writer)
  else writer.raw(payload)
  if (writer.length - 4 > limits.frameBytes)
    throw malformed(`it has ${writer.length} bytes where ${limits.frameBytes} are allowed`)
  writer.patchUint32(0, writer.length)
  return writer.finish()
}

/**
 * Cuts what is received into packets. It needs no socket, and holds no more than one packet of the size allowed
 * and what was pushed last. After it has thrown it is of no use any more: where the next packet begins is not known.
 */
export class FrameDecoder {
  /** Bounds a packet without its length word. May be changed between packets. */
  maxBytes: number
  /** What has come and was not taken lies between `#start` and `#end`; only a buffer of our own has room behind it. */
  #buffer: Buffer = noPayload
  #start = 0
  #end = 0
  #own = false
  #skip = 0

  constructor(maxBytes: number = limits.frameBytes) {
    this.maxBytes = maxBytes
  }

  /** How many bytes wait for the rest of their packet, or to be taken. */
  get bufferedBytes(): number {
    return this.#end - this.#start
  }

  /** What is pushed is not copied where it can be helped, and must not change any more. */
  push(chunk: Buffer): void {
    if (this.bufferedBytes === 0) {
      this.#buffer = chunk
      this.#start = 0
      this.#end = chunk.length
      this.#own = false
      return
    }
    if (!this.#own || this.#end + chunk.length > this.#buffer.length) this.#grow(chunk.length)
    this.#end += chunk.copy(this.#buffer, this.#end)
  }

  /** The next packet, or `undefined` where it has not come as a whole. `RPC` where it is none. */
  next(): Frame | undefined {
    const skipped = Math.min(this.#skip, this.bufferedBytes)
    this.#start += skipped
    this.#skip -= skipped
    if (this.bufferedBytes < 4) return undefined
    const length = this.#buffer.readUInt32BE(this.#start)
    if (length < headerBytes) throw malformed(`it claims a length of ${length} bytes`)
    if (length - 4 > this.maxBytes)
      throw malformed(`it claims a length of ${length} bytes where ${this.maxBytes} are allowed`)
    if (this.bufferedBytes < length) return undefined
    const frame = decodeFrame(this.#buffer.subarray(this.#start, this.#start + length))
    this.#start += length
    // Each descriptor travels with one byte of its own, after the packet.
    this.#skip = frame.descriptors
    return frame
  }

  /** Packets that were given out are views of what lies before `#start`: bytes are only added behind. */
  #grow(bytes: number): void {
    const held = this.bufferedBytes
    const grown = Buffer.allocUnsafe(Math.max(held + bytes, held * 2))
    this.#buffer.copy(grown, 0, this.#start, this.#end)
    this.#buffer = grown
    this.#start = 0
    this.#end = held
    this.#own = true
  }
}

function decodeFrame(bytes: Buffer): Frame {
  const type = bytes.readUInt32BE(16)
  const counts = hasDescriptors(type)
  if (counts && bytes.length < headerBytes + 4) throw malformed('it does not say how many descriptors it has')
  const descriptors = counts ? bytes.readUInt32BE(headerBytes) : 0
  if (descriptors > limits.descriptors)
    throw malformed(`${descriptors} descriptors where ${limits.descriptors} are allowed`)
  return {
    program: bytes.readUInt32BE(4),
    version: bytes.readUInt32BE(8),
    procedure: bytes.readInt32BE(12),
    type,
    serial: bytes.readUInt32BE(20),
    status: bytes.readUInt32BE(24),
    payload: bytes.subarray(counts ? headerBytes + 4 : headerBytes),
    descriptors,
  }
}

function hasDescriptors(type: number): boolean {
  return type === frameTypes.callWithDescriptors || type === frameTypes.replyWithDescriptors
}
