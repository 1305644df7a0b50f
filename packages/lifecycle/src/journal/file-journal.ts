import type { Stats } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { syncDirectory } from '@covirt/core'
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
 * out. Entries that come together are written together; each is on disk when its `append` resolves. Several processes
 * may write: each write goes whole to the end of the file (O_APPEND, open(2)), and a full file is put aside by one of them.
 */
export class FileJournal implements Journal {
  readonly #directory: string
  readonly #maxBytes: number
  readonly #keep: number
  readonly #pending: Pending[] = []
  #file: FileHandle | undefined
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
    await this.#closeFile()
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
        for (const { reject } of batch) reject(error)
      }
    }
    this.#writing = undefined
  }

  async #write(lines: string): Promise<void> {
    const bytes = Buffer.from(lines)
    const { file, size } = await this.#fileFor(bytes.length)
    const whole = (await endsTorn(file, size)) ? Buffer.concat([Buffer.from('\n'), bytes]) : bytes
    // In one call, so that nobody's lines come in between.
    const { bytesWritten } = await file.write(whole)
    if (bytesWritten < whole.length) throw new Error(`${join(this.#directory, current)}: the disk is full`)
    await file.datasync()
  }

  async #fileFor(bytes: number): Promise<{ readonly file: FileHandle; readonly size: number }> {
    const there = await statIfThere(join(this.#directory, current))
    const ours = await this.#file?.stat()
    // Somebody else has put it aside.
    if (ours && ours.ino !== there?.ino) await this.#closeFile()
    if (there && this.#isFull(there, bytes)) await this.#rotate(bytes)
    this.#file ??= await this.#open()
    return { file: this.#file, size: (await this.#file.stat()).size }
  }

  async #open(): Promise<FileHandle> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 })
    return open(join(this.#directory, current), 'a+', 0o600)
  }

  async #closeFile(): Promise<void> {
    await this.#file?.close()
    this.#file = undefined
  }

  #isFull({ size }: Stats, bytes: number): boolean {
    return size > 0 && size + bytes > this.#maxBytes
  }

  /** One process at a time, so that the files are in the order of their numbers; meanwhile the others go on with this one. */
  async #rotate(bytes: number): Promise<void> {
    await this.#closeFile()
    const lock = join(this.#directory, 'rotating')
    if (!(await takeLock(lock))) return
    try {
      const path = join(this.#directory, current)
      const there = await statIfThere(path)
      if (!there || !this.#isFull(there, bytes)) return
      const old = await oldFiles(this.#directory)
      const aside = `${current}.${numberOf(old.at(-1) ?? `${current}.0`) + 1}`
      await rename(path, join(this.#directory, aside))
      const tooMany = [...old, aside].slice(0, Math.max(0, old.length + 1 - this.#keep))
      for (const name of tooMany) await rm(join(this.#directory, name), { force: true })
      await syncDirectory(this.#directory)
    } finally {
      await rm(lock, { force: true })
    }
  }
}

/** Longer than it takes by far: who holds it has died. */
const lockedMs = 60_000

/** Makes the file `path`, which is the lock; false where another process has it. */
async function takeLock(path: string): Promise<boolean> {
  try {
    await (await open(path, 'wx', 0o600)).close()
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const lock = await statIfThere(path)
    if (lock && Math.abs(Date.now() - lock.mtimeMs) > lockedMs) await rm(path, { force: true })
    return false
  }
}

/** Whether what stands at the end of the file is half a line. */
async function endsTorn(file: FileHandle, size: number): Promise<boolean> {
  if (size === 0) return false
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1)
  return buffer[0] !== 0x0a
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
  try {
    return [...(await oldFiles(directory)), current]
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** Files that were put aside, oldest first: each has the number after the last one's. */
async function oldFiles(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory)
  return names
    .filter((name) => /^journal\.[1-9][0-9]{0,9}$/.test(name))
    .sort((a, b) => numberOf(a) - numberOf(b))
}

function numberOf(name: string): number {
  return Number.parseInt(name.slice(current.length + 1), 10)
}

async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
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
