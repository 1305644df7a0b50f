import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { type CallOptions, syncDirectory, throwIfAborted } from '@covirt/core'
import { removeDurably, temporaryName } from './atomic-file.js'

/** A place for one saved guest. What fails rejects with what the system says. */
export interface ImagePlace {
  /** Puts `parts` there, as a whole and for good by the time it resolves. On rejection what was there stays. */
  write(parts: AsyncIterable<Uint8Array>, options: CallOptions): Promise<void>
  /** What is there; `undefined` where there is nothing. */
  open(): Promise<StoredImage | undefined>
}

/** What is in an {@link ImagePlace}. */
export interface StoredImage {
  readonly sizeBytes: number
  /** So many bytes, or fewer where it ends. */
  read(position: number, length: number): Promise<Buffer>
  /** All from `start` up to and without `end`. */
  stream(start: number, end: number): AsyncIterable<Uint8Array>
  close(): Promise<void>
}

/** The place of a managed state. */
export interface ManagedImage extends ImagePlace {
  exists(): Promise<boolean>
  remove(): Promise<void>
  /** Takes it away for as long as it is not known whether it is needed any more. */
  setAside(): Promise<void>
  /** Undoes {@link setAside}. */
  putBack(): Promise<void>
  /** Forgets what was set aside. */
  dropAside(): Promise<void>
}

/** What ends the name of a file that was set aside. */
export const asideSuffix = '.aside'

/** A file. */
export class FileImage implements ManagedImage {
  readonly #path: string
  readonly #makesDirectory: boolean

  constructor(path: string, options: { readonly makesDirectory?: boolean } = {}) {
    this.#path = path
    this.#makesDirectory = options.makesDirectory ?? false
  }

  async write(parts: AsyncIterable<Uint8Array>, { signal }: CallOptions): Promise<void> {
    if (this.#makesDirectory) await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 })
    const temporary = temporaryName(this.#path)
    try {
      const file = await open(temporary, 'wx', 0o600)
      try {
        for await (const part of parts) {
          throwIfAborted(signal)
          await file.writeFile(part)
        }
        await file.sync()
      } finally {
        await file.close()
      }
      throwIfAborted(signal)
      await rename(temporary, this.#path)
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
    await syncDirectory(dirname(this.#path))
  }

  async open(): Promise<StoredImage | undefined> {
    const file = await openRegular(this.#path)
    return file && new OpenFile(file, (await file.stat()).size)
  }

  async exists(): Promise<boolean> {
    return (await orNone(stat(this.#path))) !== undefined
  }

  remove(): Promise<void> {
    return removeDurably(this.#path)
  }

  setAside(): Promise<void> {
    return this.#move(this.#path, this.#aside)
  }

  putBack(): Promise<void> {
    return this.#move(this.#aside, this.#path)
  }

  dropAside(): Promise<void> {
    return removeDurably(this.#aside)
  }

  async #move(from: string, to: string): Promise<void> {
    await rename(from, to)
    await syncDirectory(dirname(this.#path))
  }

  get #aside(): string {
    return `${this.#path}${asideSuffix}`
  }
}

/** Memory, as long as the object lives. */
export class MemoryImage implements ManagedImage {
  #content: Buffer | undefined
  #aside: Buffer | undefined

  async write(parts: AsyncIterable<Uint8Array>, { signal }: CallOptions): Promise<void> {
    const content = await buffer(Readable.from(parts))
    throwIfAborted(signal)
    this.#content = content
  }

  async open(): Promise<StoredImage | undefined> {
    const content = this.#content
    return (
      content && {
        sizeBytes: content.length,
        read: async (position, length) => content.subarray(position, position + length),
        stream: (start, end) => Readable.from([content.subarray(start, end)]),
        close: async () => {},
      }
    )
  }

  async exists(): Promise<boolean> {
    return this.#content !== undefined
  }

  async remove(): Promise<void> {
    this.#content = undefined
  }

  async setAside(): Promise<void> {
    this.#aside = this.#content
    this.#content = undefined
  }

  async putBack(): Promise<void> {
    this.#content = this.#aside
    this.#aside = undefined
  }

  async dropAside(): Promise<void> {
    this.#aside = undefined
  }
}

class OpenFile implements StoredImage {
  readonly sizeBytes: number
  readonly #file: FileHandle

  constructor(file: FileHandle, sizeBytes: number) {
    this.#file = file
    this.sizeBytes = sizeBytes
  }

  async read(position: number, length: number): Promise<Buffer> {
    const { bytesRead, buffer: content } = await this.#file.read(Buffer.alloc(length), 0, length, position)
    return content.subarray(0, bytesRead)
  }

  stream(start: number, end: number): AsyncIterable<Uint8Array> {
    if (start >= end) return Readable.from([])
    return this.#file.createReadStream({ start, end: end - 1, autoClose: false, highWaterMark: 1024 * 1024 })
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}

/** A pipe, whose opening would wait for somebody, or a device, is none. */
async function openRegular(path: string): Promise<FileHandle | undefined> {
  const file = await orNone(open(path, constants.O_RDONLY | constants.O_NONBLOCK))
  if (!file || (await file.stat()).isFile()) return file
  await file.close()
  throw new Error(`'${path}' is not a regular file`)
}

async function orNone<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
