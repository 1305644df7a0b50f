import { closeSync, writeSync } from 'node:fs'
import { Duplex } from 'node:stream'
import { ReadStream } from 'node:tty'
import { binding, type OpenedTty } from './binding.js'
import type { Container, Options } from './container.js'
import { monitorCall } from './monitor-call.js'

/** How soon a terminal that took no more bytes is tried again. */
const RETRY_MS = 10

/** A terminal of a container, ours alone until it is closed. */
export interface LxcConsole {
  /** Its number: 0 is the console, 1 and up are `lxc.tty.max`. */
  readonly tty: number
  /** What the container prints and reads. Ends when the container stops or reboots; ending it closes the console. */
  readonly stream: Duplex
  /** Tells programs in the container how big the terminal is. */
  resize(columns: number, rows: number): void
  /** Idempotent. */
  close(): void
}

/**
 * Opens a terminal of a running container: `tty` 0, the default, is its console, -1 the first free other one. `EBUSY`
 * where somebody has it already, `ESRCH` where the container does not run. Output from before is not seen; see
 * {@link consoleLog}.
 *
 * While tty 0 is open a reboot from inside stops the container instead: liblxc 5.0 fails to hand the console
 * on to the next boot. The container's exit status (see `watchStates`) still says that a reboot was asked for.
 */
export async function openConsole(
  container: Container,
  options: Options & { readonly tty?: number | undefined } = {},
): Promise<LxcConsole> {
  const opened = await monitorCall(
    'openConsole',
    container,
    (native, path, name) => native.openTty(path, name, options.tty ?? 0),
    options,
  )
  const stream = new ConsoleStream(opened)
  return {
    tty: opened.tty,
    stream,
    resize: (columns, rows) => binding().setWindowSize(opened.master, columns, rows),
    close: () => stream.destroy(),
  }
}

/** The last output of the container's console, which it keeps where `lxc.console.buffer.size` is set. */
export function consoleLog(container: Container, options?: Options): Promise<Buffer> {
  return monitorCall('consoleLog', container, (native, path, name) => native.consoleLog(path, name), options)
}

/**
 * Reads through Node's terminal stream. It writes itself: libuv writes to the master of a terminal in blocking mode,
 * and a container that does not read would stop the event loop.
 */
class ConsoleStream extends Duplex {
  readonly #opened: OpenedTty
  readonly #input: ReadStream
  #retry: NodeJS.Timeout | undefined

  constructor(opened: OpenedTty) {
    super({ allowHalfOpen: false })
    this.#opened = opened
    this.#input = new ReadStream(opened.master)
    this.#input.on('data', (chunk) => {
      if (!this.push(chunk)) this.#input.pause()
    })
    this.#input.on('end', () => this.push(null))
    // EIO is how a terminal says that nobody holds its other end.
    this.#input.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EIO' ? this.push(null) : this.destroy(error),
    )
  }

  override _read(): void {
    this.#input.resume()
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    let written: number
    try {
      written = writeSync(this.#opened.master, chunk)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') {
        done(error as Error)
        return
      }
      written = 0
    }
    if (written === chunk.length) done()
    else this.#retry = setTimeout(() => this._write(chunk.subarray(written), encoding, done), RETRY_MS)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.#retry)
    this.#input.destroy()
    closeSync(this.#opened.connection)
    done(error)
  }
}
