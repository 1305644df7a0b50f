/**
 * Cuts a stream of bytes into lines. Needs no socket: feed it what arrives.
 *
 * A line may hold at most `maxBytes` before its line feed; longer ones are refused before they are kept, so
 * that a peer gone mad costs bounded memory.
 */
export class LineDecoder {
  readonly #maxBytes: number
  #pending: Buffer[] = []
  #pendingBytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** The lines that `chunk` completes, without their line ends; a RangeError where one grows too long. */
  push(chunk: Buffer): string[] {
    const lines: string[] = []
    let start = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      this.#keep(chunk.subarray(start, end))
      lines.push(this.#take())
      start = end + 1
    }
    this.#keep(chunk.subarray(start))
    return lines
  }

  #keep(part: Buffer): void {
    if (part.length === 0) return
    this.#pendingBytes += part.length
    if (this.#pendingBytes > this.#maxBytes) {
      this.#pending = []
      this.#pendingBytes = 0
      throw new RangeError(`a line is longer than ${this.#maxBytes} bytes`)
    }
    this.#pending.push(part)
  }

  #take(): string {
    const line = Buffer.concat(this.#pending).toString('utf8')
    this.#pending = []
    this.#pendingBytes = 0
    return line.endsWith('\r') ? line.slice(0, -1) : line
  }
}
