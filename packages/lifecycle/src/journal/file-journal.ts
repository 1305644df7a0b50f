import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Journal, JournalEntry } from './journal.js'
import { decodeLines, encodeEntry } from './journal-lines.js'

/** Where and how much a {@link FileJournal} keeps. */
export interface FileJournalOptions {
  /** The directory that it has for itself; it is made where it is missing. */
  readonly directory: string
  /** How long one file grows before the next is begun. Default 1 MiB. */
  readonly maxBytes?: number | undefined
  /** How many full files are kept beside the one that is written. Default 4. */
  readonly keep?: number | undefined
}

interface Pending {
  readonly line: string
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

const current = 'journal'

/**
 * A journal in files: one line for an entry, each with its checksum, so that what a crash has torn is known and left
 * out. Entries that come together are written together; each is on disk when its `append` resolves. One process writes.
 */
export class FileJournal implements Journal {
  readonly #directory: string
  readonly #maxBytes: number
  readonly #keep: number
  readonly #pending: Pending[] = []
  #file: FileHandle | undefined
  #bytes = 0
  /** What stands at the end of the file may be half a line. */
  #torn = false
  #writing: Promise<void> | undefined

  private constructor({ directory, maxBytes = 1 << 20, keep = 4 }: FileJournalOptions) {
    this.#directory = directory
    this.#maxBytes = maxBytes
    this.#keep = keep
  }

  /** Opens the journal for writing; nothing is made before something is to be written. */
  static open(options: FileJournalOptions): FileJournal {
    return new FileJournal(options)
  }

  append(entry: JournalEntry): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ line: encodeEntry(entry), resolve, reject })
      this.#writing ??= this.#drain()
    })
  }

  async read(): Promise<readonly JournalEntry[]> {
    return readJournal(this.#directory)
  }

  /** Waits for what is being written. */
  async close(): Promise<void> {
    await this.#writing
    await this.#file?.close()
    this.#file = undefined
  }

  async #drain(): Promise<void> {
    // What is asked for in the same turn is written at once.
    await undefined
    while (this.#pending.length > 0) {
      const batch = this.#pending.splice(0)
      try {
        await this.#write(batch.map(({ line }) => line).join(''))
        for (const { resolve } of batch) resolve()
      } catch (error) {
        this.#torn = true
        for (const { reject } of batch) reject(error)
      }
    }
    this.#writing = undefined
  }

  async #write(lines: string): Promise<void> {
    const file = await this.#fileFor(lines.length)
    const text = this.#torn ? `\n${lines}` : lines
    await file.appendFile(text)
    this.#torn = false
    this.#bytes += text.length
    await file.datasync()
  }

  async #fileFor(bytes: number): Promise<FileHandle> {
    if (this.#file && this.#bytes > 0 && this.#bytes + bytes > this.#maxBytes) await this.#rotate()
    this.#file ??= await this.#open()
    return this.#file
  }

  async #open(): Promise<FileHandle> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 })
    const file = await open(join(this.#directory, current), 'a+', 0o600)
    const { size } = await file.stat()
    this.#bytes = size
    if (size > 0) {
      const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1)
      this.#torn = buffer[0] !== 0x0a
    }
    return file
  }

  async #rotate(): Promise<void> {
    await this.#file?.close()
    this.#file = undefined
    const path = (index: number) => join(this.#directory, `${current}.${index}`)
    await rm(path(this.#keep), { force: true })
    for (let index = this.#keep - 1; index >= 1; index--) await moveIfThere(path(index), path(index + 1))
    if (this.#keep > 0) await moveIfThere(join(this.#directory, current), path(1))
    else await rm(join(this.#directory, current), { force: true })
    const directory = await open(this.#directory)
    try {
      await directory.sync()
    } finally {
      await directory.close()
    }
  }
}

/** More than one file can have grown to. */
const mostBytes = 16 << 20

/** All entries of the journal in `directory`, oldest first; empty where there is none. It may be written meanwhile. */
export async function readJournal(directory: string): Promise<readonly JournalEntry[]> {
  const entries: JournalEntry[] = []
  for (const name of await filesOldestFirst(directory))
    entries.push(...(await readFileEnd(join(directory, name))))
  return entries
}

async function filesOldestFirst(directory: string): Promise<readonly string[]> {
  let names: readonly string[]
  try {
    names = await readdir(directory)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  const age = (name: string) => (name === current ? 0 : Number(name.slice(current.length + 1)))
  return names.filter((name) => /^journal(\.[1-9][0-9]{0,2})?$/.test(name)).sort((a, b) => age(b) - age(a))
}

async function readFileEnd(path: string): Promise<readonly JournalEntry[]> {
  let file: FileHandle
  try {
    file = await open(path)
  } catch (error) {
    // It has been rotated away meanwhile.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  try {
    const { size } = await file.stat()
    const bytes = Buffer.alloc(Math.min(size, mostBytes))
    const { bytesRead } = await file.read(bytes, 0, bytes.length, size - bytes.length)
    return decodeLines(bytes.toString('utf8', 0, bytesRead))
  } finally {
    await file.close()
  }
}

async function moveIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
