import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs'
import { Duplex } from 'node:stream'
import { ReadStream } from 'node:tty'
import { binding, type OpenedTty } from './binding.js'

/** How much output waits for a reader. */
const MAX_UNREAD_OUTPUT_BYTES = 1 << 20

/** How much typed input may wait in the container before more is sent; a terminal keeps 4 KiB and some more. */
const MAX_UNREAD_INPUT_BYTES = 2048

const CHUNK_BYTES = 1024
const CHUNK_PAUSE_MS = 1
const RETRY_MS = 10

/** How long a monitor may take to let go of a closed console. */
const RELEASE_MS = 2_000

/** Opens a path without opening what it names (open(2)); Node has no name for it. */
const O_PATH = 0o10000000

/** Majors of the kernel's pseudo terminals (devices.txt). */
const PTS_MAJORS = { first: 136, last: 143 }

/**
 * A terminal as a stream. The monitor of liblxc 5.0 hands the console on with blocking reads and writes, and hangs for
 * ever in one that cannot go on. So output is always read, and beyond 1 MiB dropped where nobody takes it; and input
 * is only sent on while the container reads it. Closing ends when the monitor has let go of it.
 *
 * Reading is done by Node's terminal stream. Writing is not, for libuv writes to the master of a terminal in
 * blocking mode, and a container that does not read would stop the event loop.
 */
export class ConsoleStream extends Duplex {
  readonly #opened: OpenedTty
  readonly #output: ReadStream
  /** The container's own end of its console, to see how much it has left unread. */
  #far: number | undefined
  readonly #isForwarded: boolean
  #later: NodeJS.Timeout | undefined

  constructor(opened: OpenedTty) {
    super({ allowHalfOpen: false })
    this.#opened = opened
    // The console; other terminals are the container's own ends.
    this.#isForwarded = opened.tty === 0
    this.#output = new ReadStream(opened.master)
    this.#output.on('data', (chunk) => {
      if (this.readableLength < MAX_UNREAD_OUTPUT_BYTES) this.push(chunk)
    })
    this.#output.on('end', () => this.push(null))
    // EIO is how a terminal says that nobody holds its other end.
    this.#output.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EIO' ? this.push(null) : this.destroy(error),
    )
  }

  /** Sends the console's input on only while the container with this init reads it. */
  sendAsReadBy(initPid: number): void {
    if (!this.destroyed) this.#far = openContainerConsole(initPid)
  }

  /** Tells programs in the container how big the terminal is; nobody once it has ended. */
  resize(columns: number, rows: number): void {
    if (!this.#hasEnded) binding().setWindowSize(this.#opened.master, columns, rows)
  }

  override _read(): void {}

  override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#hasEnded) {
      done()
      return
    }
    let written: number
    try {
      written = this.#isFarEndFull() ? 0 : writeSync(this.#opened.master, chunk.subarray(0, CHUNK_BYTES))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') {
        done(error as Error)
        return
      }
      written = 0
    }
    if (written === chunk.length) {
      done()
      return
    }
    const pauseMs = written === 0 ? RETRY_MS : CHUNK_PAUSE_MS
    this.#later = setTimeout(() => this._write(chunk.subarray(written), encoding, done), pauseMs)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.#later)
    closeSync(this.#opened.connection)
    if (this.#far !== undefined) closeSync(this.#far)
    this.#output.removeAllListeners('data').removeAllListeners('end').removeAllListeners('error')
    // What a terminal says once nobody holds its other end.
    this.#output.on('error', () => {})
    if (!this.#isForwarded || this.#output.closed) {
      this.#output.destroy()
      done(error)
      return
    }
    // The monitor may stand in a write that waits for a reader, and would not see that the connection is closed.
    const patience = setTimeout(() => this.#output.destroy(), RELEASE_MS)
    this.#output.once('close', () => {
      clearTimeout(patience)
      done(error)
    })
    this.#output.resume()
  }

  /** The reading side has closed the terminal, and its number may be another file's by now. */
  get #hasEnded(): boolean {
    return this.#output.destroyed
  }

  #isFarEndFull(): boolean {
    return this.#far !== undefined && binding().unreadInput(this.#far) > MAX_UNREAD_INPUT_BYTES
  }
}

/**
 * Opens `/dev/console` of a container, if that is a pseudo terminal: the container decides what is there, and
 * opening some devices does something. `undefined` where it is not, or may not be looked at.
 */
function openContainerConsole(initPid: number): number | undefined {
  let path: number | undefined
  try {
    path = openSync(`/proc/${initPid}/root/dev/console`, O_PATH | constants.O_NOFOLLOW)
    const stat = fstatSync(path)
    const major = (stat.rdev >> 8) & 0xfff
    if (!stat.isCharacterDevice() || major < PTS_MAJORS.first || major > PTS_MAJORS.last) return undefined
    return openSync(`/proc/self/fd/${path}`, constants.O_RDONLY | constants.O_NOCTTY | constants.O_NONBLOCK)
  } catch {
    return undefined
  } finally {
    if (path !== undefined) closeSync(path)
  }
}
