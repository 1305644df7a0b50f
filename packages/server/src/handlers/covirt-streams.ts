import { Duplex, PassThrough } from 'node:stream'
import { anySignal, type CallOptions, type FilesRole, requireRole } from '@covirt/core'
import type { Call, Handlers } from '../handler.js'
import { type PipeSource, PipeStream } from '../pipe-stream.js'

/** Streams of covirt's own, each of which can be slowed down by itself. */
export const covirtStreamHandlers = {
  covirtOpenConsole: async (call, { domain, ...how }) => {
    call.session.streams.reserve()
    const { driver, options } = call
    const source = await requireRole(driver, 'console').openConsole(domain, { ...options, ...how })
    call.openStream(new PipeStream(source))
    return { resizes: source.resize !== undefined }
  },
  covirtOpenGraphics: (call, { domain, index }) =>
    openPipe(call, ({ driver, options }) =>
      requireRole(driver, 'graphics').openGraphics(domain, { ...options, index }),
    ),
  covirtReadFile: (call, { domain, path, offsetBytes, lengthBytes }) =>
    openPipe(call, async ({ driver, options }) => {
      const part = { offsetBytes: numberOf(offsetBytes), lengthBytes: numberOf(lengthBytes) }
      const readable = await requireRole(driver, 'files').readFile(domain, path, { ...options, ...part })
      return Duplex.from({ readable })
    }),
  covirtWriteFile: (call, { domain, path, ...ownership }) =>
    openPipe(call, async ({ driver, options }) => {
      const files = requireRole(driver, 'files')
      return new FileContent((content, { signal }) =>
        files.writeFile(domain, path, content, {
          ...ownership,
          signal: anySignal(options.signal, signal),
        }),
      )
    }),
} satisfies Handlers

async function openPipe(call: Call, open: (call: Call) => Promise<PipeSource>): Promise<void> {
  call.session.streams.reserve()
  call.openStream(new PipeStream(await open(call)))
}

/** The content of a file that is written: it ends well once the file is there. Destroying it leaves the file as it was. */
class FileContent extends Duplex {
  readonly #content = new PassThrough()
  readonly #over = new AbortController()
  readonly #written: Promise<void>

  constructor(write: (content: PassThrough, options: CallOptions) => ReturnType<FilesRole['writeFile']>) {
    super()
    this.#written = write(this.#content, { signal: this.#over.signal })
    this.#written.catch((error) => this.destroy(error))
  }

  /** Nothing comes back. */
  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    if (this.#content.write(chunk)) done()
    else this.#content.once('drain', done)
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#content.end()
    this.#written.then(() => done(), done)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#over.abort()
    this.#written.then(
      () => done(error),
      () => done(error),
    )
  }
}

function numberOf(count: bigint | undefined): number | undefined {
  return count === undefined ? undefined : Number(count)
}
