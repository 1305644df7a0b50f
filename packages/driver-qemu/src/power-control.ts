import {
  type CallOptions,
  isVirError,
  type Logger,
  messageOf,
  type ShutdownMode,
  VirError,
} from '@covirt/core'
import { unresponsive } from './agent/agent-channel.js'
import type { GuestAgent } from './agent/guest-agent.js'
import { fromQmp } from './qemu-errors.js'
import type { QmpChannel } from './qmp/qmp-channel.js'
import { onShutdown, startAnew } from './start-anew.js'

/** What {@link PowerControl} works with. */
export interface PowerControlParts {
  readonly monitor: QmpChannel
  readonly agent: GuestAgent | undefined
  /** Whether the guest is to be started again when it goes down, as far as an earlier process has noted. */
  readonly restartAsked: boolean
  readonly logger: Logger
  /** Told whenever {@link PowerControl.restarts} has changed. */
  readonly onChange: () => void
}

/** Asks a guest to go down or to restart, by its agent or its power button, and starts it anew where it has to. */
export class PowerControl {
  readonly #parts: PowerControlParts
  /**
   * `asked`: the guest is to go down and to be started again; `underway`: it is down, and is being started. That a
   * guest which is down waits for its restart is known from QEMU alone: this may have missed what was asked.
   */
  #restart: 'no' | 'asked' | 'underway'
  #shutdownCause: string | undefined

  constructor(parts: PowerControlParts) {
    this.#parts = parts
    this.#restart = parts.restartAsked ? 'asked' : 'no'
  }

  /** From when the power button was asked to restart the guest until it has restarted. */
  get restarts(): boolean {
    return this.#restart !== 'no'
  }

  /** The guest is down, and is being started. */
  get isStartingAnew(): boolean {
    return this.#restart === 'underway'
  }

  /** Why it has gone down, in QEMU's words; `undefined` where it has not. */
  get shutdownCause(): string | undefined {
    return this.#shutdownCause
  }

  /** Asks it once. A restart by its agent is the guest's own; one by the power button is a power-off, and ours. */
  async ask(
    mode: ShutdownMode | undefined,
    what: 'powerdown' | 'reboot',
    options: CallOptions,
  ): Promise<void> {
    const { agent, logger } = this.#parts
    if (mode !== undefined && mode !== 'acpi' && mode !== 'agent')
      throw new VirError('ARGUMENT_UNSUPPORTED', `The QEMU driver has no shutdown mode '${mode}'`, {
        domain: 'QEMU',
        hint: "Known are 'acpi' and 'agent'",
      })
    if (mode === 'acpi') return this.#pressPowerButton(what, options)
    if (mode === 'agent' && !agent) throw unresponsive('absent')
    try {
      if (agent && (mode === 'agent' || agent.connected)) {
        if (what === 'powerdown') await this.#restartOnShutdown(false, options)
        return await agent.shutdown(what, options)
      }
    } catch (error) {
      if (mode === 'agent' || !isVirError(error, 'AGENT_UNRESPONSIVE')) throw error
      logger.debug('The guest agent is silent: pressing the power button instead')
    }
    return this.#pressPowerButton(what, options)
  }

  /** Starts a guest anew that has gone down to be restarted. */
  async startAnew(state: { readonly paused: boolean }): Promise<void> {
    const { monitor, logger } = this.#parts
    this.#noteRestart('underway')
    try {
      await startAnew(monitor, state)
    } catch (error) {
      logger.warn('A guest could not be restarted', { error: messageOf(error) })
    }
    this.#noteRestart('no')
  }

  /** The guest has gone down. */
  hasShutDown(cause: string): void {
    this.#shutdownCause = cause
  }

  /** The guest has been reset: a restart of any kind is the one that was asked for, and a later power-off is none. */
  hasReset(): void {
    this.#shutdownCause = undefined
    if (this.#restart === 'asked') void this.#restartOnShutdown(false, {}).catch(() => {})
  }

  async #pressPowerButton(what: 'powerdown' | 'reboot', options: CallOptions): Promise<void> {
    const goesOff = () => what === 'powerdown' && this.#shutdownCause !== undefined && this.#restart === 'no'
    // A QEMU that ends may be kept from it by a command.
    if (goesOff()) return
    await this.#restartOnShutdown(what === 'reboot', options)
    if (goesOff()) return
    try {
      await this.#parts.monitor.execute('system_powerdown', {}, options)
    } catch (error) {
      throw fromQmp('Pressing the power button', error)
    }
  }

  /**
   * A power button can only ask a guest to go down. For a restart QEMU is told to stay when it does, and to wait
   * for being reset. QEMU is told each time: another process may have told it otherwise.
   */
  async #restartOnShutdown(restart: boolean, options: CallOptions): Promise<void> {
    if (this.#restart !== 'underway') this.#noteRestart(restart ? 'asked' : 'no')
    try {
      await onShutdown(this.#parts.monitor, restart ? 'pause' : 'poweroff', options)
    } catch (error) {
      throw fromQmp('Preparing', error)
    }
  }

  #noteRestart(restart: 'no' | 'asked' | 'underway'): void {
    const isNews = this.restarts !== (restart !== 'no')
    this.#restart = restart
    if (isNews) this.#parts.onChange()
  }
}
