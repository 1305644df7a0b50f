import type { Socket } from 'node:net'
import {
  abortable,
  type CallOptions,
  type Clock,
  isVirError,
  messageOf,
  throwIfAborted,
  VirError,
} from '@covirt/core'
import { LineDecoder } from '../qmp/line-decoder.js'
import { isSyncAnswer, syncRequest } from './agent-codec.js'

/** The longest answers are those of `guest-exec-status` and `guest-file-read` (48 MiB by the agent's own limit). */
const maxLineBytes = 64 * 1024 * 1024

/** What the agent answered, or how the talk ended without an answer. */
export type AgentAnswer =
  | { readonly kind: 'answer'; readonly line: string }
  | { readonly kind: 'closed' }
  | { readonly kind: 'silent' }

/** How long an agent may take, by whose clock. */
export interface AgentTimeout {
  readonly clock: Clock
  readonly timeoutMs: number
}

/**
 * Talks with the agent in one guest, one at a time. Each talk has a connection of its own: nothing that a
 * guest sends at other times is kept.
 */
export class AgentChannel {
  readonly #connect: () => Promise<Socket>
  #last: Promise<unknown> = Promise.resolve()
  #current: Socket | undefined
  #lastId = Math.floor(Math.random() * 0x4000_0000)

  /** `connect` opens the socket of the channel's character device. */
  constructor(connect: () => Promise<Socket>) {
    this.#connect = connect
  }

  /**
   * Sends one request line and resolves to what came of it, after the talks before it. `AGENT_UNRESPONSIVE`
   * where the agent does not even answer to its name in time; then the request has not been sent.
   */
  talk(request: string, timeout: AgentTimeout, { signal }: CallOptions = {}): Promise<AgentAnswer> {
    const turn = this.#last.then(() => {
      throwIfAborted(signal)
      return this.#talk(request, timeout, signal)
    })
    this.#last = turn.catch(() => {})
    return abortable(turn, signal)
  }

  /** Ends the talk under way. */
  close(): void {
    this.#current?.destroy()
  }

  async #talk(request: string, timeout: AgentTimeout, signal: AbortSignal | undefined): Promise<AgentAnswer> {
    const socket = await this.#connect()
    this.#current = socket
    const done = new AbortController()
    try {
      const lines = new LineReader(socket)
      const deadline = expiry(timeout, done.signal)
      const giveUp = signal ? AbortSignal.any([signal, deadline]) : deadline
      const id = ++this.#lastId
      socket.write(syncRequest(id))
      for (let line = await next(lines, giveUp); ; line = await next(lines, giveUp)) {
        if (line.kind !== 'answer') throw unresponsive(line.kind)
        if (isSyncAnswer(line.line, id)) break
      }
      socket.write(`${request}\n`)
      return await next(lines, giveUp)
    } finally {
      done.abort()
      socket.destroy()
      this.#current = undefined
    }
  }
}

class LineReader {
  readonly #decoder = new LineDecoder(maxLineBytes)
  readonly #lines: string[] = []
  #closed: Error | undefined
  #wake: (() => void) | undefined

  constructor(socket: Socket) {
    const close = (error: Error) => {
      this.#closed ??= error
      this.#wake?.()
    }
    socket.on('data', (chunk: Buffer) => {
      try {
        this.#lines.push(...this.#decoder.push(chunk))
        this.#wake?.()
      } catch (error) {
        close(new Error(messageOf(error)))
        socket.destroy()
      }
    })
    socket.on('error', close)
    socket.on('close', () => close(new Error('closed')))
  }

  async next(): Promise<AgentAnswer> {
    while (this.#lines.length === 0) {
      if (this.#closed) return { kind: 'closed' }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return { kind: 'answer', line: this.#lines.shift() as string }
  }
}

async function next(lines: LineReader, giveUp: AbortSignal): Promise<AgentAnswer> {
  try {
    return await abortable(lines.next(), giveUp)
  } catch (error) {
    if (isVirError(error, 'OPERATION_ABORTED') && error.cause === deadlineOver) return { kind: 'silent' }
    throw error
  }
}

const deadlineOver = Symbol('the deadline is over')

function expiry({ clock, timeoutMs }: AgentTimeout, done: AbortSignal): AbortSignal {
  const expired = new AbortController()
  clock.sleep(timeoutMs, { signal: done }).then(
    () => expired.abort(deadlineOver),
    () => {},
  )
  return expired.signal
}

/** The error where no agent answers. */
export function unresponsive(how: 'silent' | 'closed' | 'absent'): VirError {
  const message = {
    silent: 'The guest agent did not answer in time',
    closed: 'The channel of the guest agent was closed before it answered',
    absent: 'The domain has no channel for a guest agent',
  }[how]
  const hint =
    how === 'absent'
      ? "Add <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel> to <devices>"
      : 'Is qemu-guest-agent installed and running in the guest?'
  return new VirError('AGENT_UNRESPONSIVE', message, { domain: 'QEMU', hint })
}
