import { crc32 } from 'node:zlib'
import { messageOf, VirError } from '@covirt/core'
import type { ImagePlace, StoredImage } from './image-place.js'

/** What a saved guest was. */
export interface SavedHeader {
  /** One of its own, so that it is told from an older one in the same place. */
  readonly id: string
  /** `Hypervisor.type`. */
  readonly driver: string
  /** The definition it was launched with. */
  readonly xml: string
  /** As what it goes on. */
  readonly restoreAs: 'running' | 'paused'
}

// Eight bytes that begin one, version and length of the header as 32-bit numbers, the header as JSON, the state, and
// last its length (64 bits), the CRC-32 of all before these 20 bytes, and eight bytes that end it. Little-endian.
const beginning = Buffer.from('cvSAVED\n')
const ending = Buffer.from('\ncvWHOLE')
const version = 1
const prologueBytes = 16
const trailerBytes = 20
/** Definitions may have half as many. */
const maxHeaderBytes = 32 * 1024 * 1024

/** A saved guest as it is written. */
export async function* formatImage(
  header: SavedHeader,
  state: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const json = Buffer.from(JSON.stringify(header))
  const prologue = Buffer.alloc(prologueBytes)
  beginning.copy(prologue)
  prologue.writeUInt32LE(version, 8)
  prologue.writeUInt32LE(json.length, 12)
  const head = Buffer.concat([prologue, json])
  let crc = crc32(head)
  let length = 0
  yield head
  for await (const chunk of state) {
    crc = crc32(chunk, crc)
    length += chunk.length
    yield chunk
  }
  const trailer = Buffer.alloc(trailerBytes)
  trailer.writeBigUInt64LE(BigInt(length), 0)
  trailer.writeUInt32LE(crc, 8)
  ending.copy(trailer, 12)
  yield trailer
}

/** A saved guest that can be restored. */
export interface SavedImage extends AsyncDisposable {
  readonly header: SavedHeader
  /** Throws at its end where it is not what was saved. */
  readonly state: AsyncIterable<Uint8Array>
}

/**
 * Opens what was written by {@link formatImage}; `undefined` where there is nothing. `OPERATION_FAILED` for what is
 * damaged or something else.
 */
export async function openSavedImage(place: ImagePlace): Promise<SavedImage | undefined> {
  const stored = await place.open().catch((error: unknown) => {
    throw unusable(messageOf(error), error)
  })
  if (!stored) return undefined
  try {
    return await readImage(stored)
  } catch (error) {
    await stored.close()
    throw error
  }
}

async function readImage(stored: StoredImage): Promise<SavedImage> {
  const prologue = await stored.read(0, prologueBytes)
  if (!prologue.subarray(0, beginning.length).equals(beginning))
    throw unusable('it is not a saved guest of covirt')
  const trailer = await stored.read(Math.max(0, stored.sizeBytes - trailerBytes), trailerBytes)
  const length = prologue.length === prologueBytes ? prologue.readUInt32LE(12) : maxHeaderBytes + 1
  const start = prologueBytes + length
  const end = stored.sizeBytes - trailerBytes
  const isWhole =
    trailer.length === trailerBytes &&
    trailer.subarray(12).equals(ending) &&
    length <= maxHeaderBytes &&
    trailer.readBigUInt64LE(0) === BigInt(end - start)
  if (!isWhole) throw unusable('it is damaged: a part of it is missing')
  if (prologue.readUInt32LE(8) !== version)
    throw unusable(`it has version ${prologue.readUInt32LE(8)} of the format`)
  const json = await stored.read(prologueBytes, length)
  return {
    header: parseHeader(json),
    state: checked(stored.stream(start, end), {
      begun: crc32(Buffer.concat([prologue, json])),
      expected: trailer.readUInt32LE(8),
    }),
    [Symbol.asyncDispose]: () => stored.close(),
  }
}

async function* checked(
  state: AsyncIterable<Uint8Array>,
  { begun, expected }: { readonly begun: number; readonly expected: number },
): AsyncGenerator<Uint8Array> {
  let crc = begun
  for await (const chunk of state) {
    crc = crc32(chunk, crc)
    yield chunk
  }
  if (crc !== expected) throw unusable('it is damaged: its checksum is wrong')
}

function parseHeader(json: Buffer): SavedHeader {
  try {
    const header: unknown = JSON.parse(json.toString('utf8'))
    if (isHeader(header)) return header
  } catch {
    // Said below.
  }
  throw unusable('it is damaged: its header makes no sense')
}

function isHeader(value: unknown): value is SavedHeader {
  if (typeof value !== 'object' || value === null) return false
  const { id, driver, xml, restoreAs } = value as Partial<Record<keyof SavedHeader, unknown>>
  const texts = [id, driver, xml].every((text) => typeof text === 'string')
  return texts && (restoreAs === 'running' || restoreAs === 'paused')
}

/** The error for a saved state that cannot be used. */
export function unusable(why: string, cause?: unknown): VirError {
  return new VirError('OPERATION_FAILED', `The saved state cannot be used: ${why}`, {
    domain: 'DOM',
    cause,
    hint: "A managed state is thrown away by 'managedsave-remove' or 'start --force-boot'",
  })
}
