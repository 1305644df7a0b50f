import type { Socket } from 'node:net'
import { type CallOptions, type Clock, VirError } from '@covirt/core'
import { isObject } from '../qmp/qmp-message.js'
import { type AgentAnswer, AgentChannel, unresponsive } from './agent-channel.js'
import { parseObject } from './agent-codec.js'

/** How long an agent may take to obey a `guest-shutdown`, which it does not answer. */
const shutdownTimeoutMs = 5000

/** The agent in one guest: what it can be asked for. */
export class GuestAgent {
  /** Whether the guest's side of the channel is open, as far as QEMU knows. */
  connected = false
  readonly #channel: AgentChannel
  readonly #clock: Clock

  constructor(connect: () => Promise<Socket>, clock: Clock) {
    this.#channel = new AgentChannel(connect)
    this.#clock = clock
  }

  /** Sends a command, one JSON object in one line, and resolves to the line that answers it. */
  async command(command: string, timeoutMs: number, options: CallOptions): Promise<string> {
    const answer = await this.#talk(command, timeoutMs, options)
    if (answer.kind !== 'answer') throw unresponsive(answer.kind)
    return answer.line
  }

  /**
   * Asks the guest's system to go down or to restart. The agent says nothing if it obeys: its silence, or
   * the end of the channel, is consent. `AGENT_UNRESPONSIVE` where there is no agent.
   */
  async shutdown(mode: 'powerdown' | 'reboot', options: CallOptions): Promise<void> {
    const request = JSON.stringify({ execute: 'guest-shutdown', arguments: { mode } })
    const answer = await this.#talk(request, shutdownTimeoutMs, options)
    const error = answer.kind === 'answer' ? parseObject(answer.line)?.error : undefined
    if (!isObject(error)) return
    throw new VirError('OPERATION_FAILED', `The guest agent refused: ${String(error.desc)}`, {
      domain: 'QEMU',
    })
  }

  /** Ends the talk under way. */
  close(): void {
    this.#channel.close()
  }

  #talk(request: string, timeoutMs: number, options: CallOptions): Promise<AgentAnswer> {
    // A channel that nobody holds open in the guest swallows what is sent.
    if (!this.connected) return Promise.reject(unresponsive('closed'))
    return this.#channel.talk(request, { clock: this.#clock, timeoutMs }, options)
  }
}
