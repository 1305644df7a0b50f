import { Duplex } from 'node:stream'
import type { CallOptions, ConsoleStream } from '@covirt/core'

/** How much output waits for one viewer; what comes beyond that it does not see. */
const maxUnreadBytes = 1 << 20

/** What a shared console is made of. */
export interface SharedConsoleParts {
  /** Opens the one console that there is. */
  readonly connect: (options: CallOptions) => Promise<ConsoleStream>
  /** The last bytes of what it printed, at most so many. */
  readonly readHistory: (bytes: number) => Promise<Buffer>
}

/**
 * Several viewers of one console: all see what it prints, and what each of them types reaches it. It is open while
 * there are any. They stay while it is away, as it is while a guest restarts; who owns it says when that is.
 */
export class SharedConsole {
  readonly #parts: SharedConsoleParts
  readonly #viewers = new Set<Viewer>()
  #source: ConsoleStream | undefined
  #connecting: Promise<void> | undefined

  constructor(parts: SharedConsoleParts) {
    this.#parts = parts
  }

  get inUse(): boolean {
    return this.#viewers.size > 0
  }

  /** One more viewer, who sees `historyBytes` of what was printed before, too. */
  async join({
    historyBytes,
    signal,
  }: CallOptions & { readonly historyBytes: number }): Promise<ConsoleStream> {
    const viewer = new Viewer({
      write: (chunk, done) => this.#write(chunk, done),
      leave: () => this.#leave(viewer),
      resize: (columns, rows) => this.#source?.resize?.(columns, rows),
    })
    this.#viewers.add(viewer)
    try {
      await this.#connect({ signal })
      viewer.begin(historyBytes > 0 ? await this.#parts.readHistory(historyBytes) : Buffer.alloc(0))
      return viewer
    } catch (error) {
      await this.#leave(viewer)
      throw error
    }
  }

  /** The console is there again. */
  async reattach(): Promise<void> {
    if (this.inUse) await this.#connect({})
  }

  /** Lets go of the console; the viewers stay. */
  async detach(): Promise<void> {
    const source = this.#source
    this.#source = undefined
    if (!source || source.closed) return
    // Also where it fails at its end, which must not keep the guest's from being told.
    const closed = new Promise((resolve) => source.once('close', resolve))
    // Ended, it delivers what was typed last; but a guest that reads nothing would keep it for ever.
    if (source.writableLength > 0) source.destroy()
    else source.once('finish', () => source.destroy()).end()
    await closed
  }

  /** The console is gone: the viewers read what is left, and their streams end. */
  async end(): Promise<void> {
    const viewers = [...this.#viewers]
    this.#viewers.clear()
    await this.detach()
    for (const viewer of viewers) viewer.hangUp()
  }

  async #connect(options: CallOptions): Promise<void> {
    if (this.#source && !this.#source.destroyed) return
    this.#connecting ??= this.#parts
      .connect(options)
      .then((source) => this.#attach(source))
      .finally(() => {
        this.#connecting = undefined
      })
    await this.#connecting
  }

  async #attach(source: ConsoleStream): Promise<void> {
    this.#source = source
    source.on('data', (chunk: Buffer) => {
      for (const viewer of this.#viewers) viewer.see(chunk)
    })
    source.on('error', () => {})
    if (!this.inUse) await this.detach()
  }

  #write(chunk: Buffer, done: () => void): void {
    // Nobody reads what is typed while the guest is away.
    if (!this.#source || this.#source.destroyed) done()
    else this.#source.write(chunk, () => done())
  }

  async #leave(viewer: Viewer): Promise<void> {
    this.#viewers.delete(viewer)
    await this.#connecting?.catch(() => {})
    if (!this.inUse) await this.detach()
  }
}

interface ViewerParts {
  readonly write: (chunk: Buffer, done: () => void) => void
  readonly leave: () => Promise<void>
  readonly resize: (columns: number, rows: number) => void
}

class Viewer extends Duplex {
  readonly resize: (columns: number, rows: number) => void
  readonly #parts: ViewerParts
  /** What has been printed since it joined and before it has begun. */
  #early: Buffer[] | undefined = []

  constructor(parts: ViewerParts) {
    super({ allowHalfOpen: false })
    this.#parts = parts
    this.resize = parts.resize
    this.once('finish', () => this.destroy())
  }

  /** Shows what was printed before, and from now on what is printed. */
  begin(history: Buffer): void {
    const early = Buffer.concat(this.#early ?? [])
    this.#early = undefined
    const whole = Buffer.concat([history, early.subarray(overlapOf(history, early))])
    if (whole.length > 0) this.push(whole)
  }

  see(chunk: Buffer): void {
    if (this.#early) this.#early.push(chunk)
    else if (!this.destroyed && this.readableLength < maxUnreadBytes) this.push(chunk)
  }

  hangUp(): void {
    if (!this.destroyed && !this.readableEnded) this.push(null)
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#parts.write(chunk, done)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#parts.leave().then(
      () => done(error),
      (failure: Error) => done(failure),
    )
  }
}

/** How much of `early` the history, which was read later, ends with. */
function overlapOf(history: Buffer, early: Buffer): number {
  for (let length = Math.min(history.length, early.length); length > 0; length--) {
    if (history.subarray(history.length - length).equals(early.subarray(0, length))) return length
  }
  return 0
}
