import { type Clock, isVirError } from '@covirt/core'
import type { Channel } from '@covirt/protocol'
import type { ServerLimits } from './limits.js'

/** What an {@link Outbox} needs of its session. */
export interface OutboxParts {
  readonly channel: Channel
  readonly clock: Clock
  readonly limits: ServerLimits
  /** Fires when the session ends. */
  readonly signal: AbortSignal
  /** So much waits to be taken that no further call should be begun. */
  readonly onFull: () => void
  /** Cuts the connection. */
  readonly cut: (why: string) => void
}

/** What is sent to one client, and how it takes it: one that does not is cut off. */
export class Outbox {
  readonly #parts: OutboxParts
  /** What was sent waits to be taken. */
  #stalled = false
  #watching = false
  #sentBytes = 0

  constructor(parts: OutboxParts) {
    this.#parts = parts
  }

  /** Sends a whole packet; false where the client does not keep up. */
  send(packet: Buffer): boolean {
    this.#sentBytes += packet.length
    const keepsUp = this.#parts.channel.send(packet)
    if (!keepsUp) this.#onBehind()
    return keepsUp
  }

  /** All that was sent has been taken. */
  drained(): void {
    this.#stalled = false
  }

  #onBehind(): void {
    const { channel, limits, onFull, cut } = this.#parts
    const { queuedBytes } = channel
    if (queuedBytes > limits.answerBytes) onFull()
    if (queuedBytes > limits.unreadBytes) cut('it does not read what is sent to it')
    this.#stalled = true
    if (!this.#watching) void this.#watch()
  }

  async #watch(): Promise<void> {
    const { channel, clock, limits, signal, cut } = this.#parts
    this.#watching = true
    const taken = () => this.#sentBytes - channel.queuedBytes
    try {
      for (let before = taken(); this.#stalled; before = taken()) {
        await clock.sleep(limits.stalledMs, { signal })
        if (this.#stalled && taken() === before) return cut('it has taken nothing for too long')
      }
    } catch (error) {
      if (!isVirError(error, 'OPERATION_ABORTED')) throw error
    } finally {
      this.#watching = false
    }
  }
}
