import { type Colour, colourOf } from './colour.js'
import type { CommandOutput } from './command-process.js'

/** What a command has to say, in both of its forms. */
export interface Result {
  /** For people; complete lines. Nothing is printed where it is empty. */
  readonly text: string
  /** For programs. */
  readonly json: unknown
}

/** Where commands say what they found: one form of it, on standard output. */
export class Output {
  readonly json: boolean
  /** Colours of standard output; they do nothing where it is no terminal. */
  readonly colour: Colour
  /** Fires when nobody reads standard output any more. */
  readonly closed: AbortSignal
  readonly #stream: CommandOutput

  constructor(
    stream: CommandOutput,
    options: { readonly json: boolean; readonly environment: NodeJS.ProcessEnv },
  ) {
    const closed = new AbortController()
    this.#stream = stream
    this.json = options.json
    this.colour = colourOf(stream, options.environment)
    this.closed = closed.signal
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      closed.abort()
    })
  }

  /** Says a result. */
  result({ text, json }: Result): void {
    this.write(this.json ? `${toJson(json)}\n` : text)
  }

  write(text: string | Uint8Array): void {
    if (text.length > 0 && !this.closed.aborted) this.#stream.write(text)
  }
}

/** JSON on one line. 64-bit counters, which JSON's readers would round, become strings. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, item) => (typeof item === 'bigint' ? item.toString() : item))
}
