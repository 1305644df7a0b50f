import { type Clock, type Logger, messageOf } from '@covirt/core'
import type { SystemCalls } from './native.js'

/** Tells systemd how things are (sd_notify(3)). Where nobody listens, nothing happens. */
export class ServiceManager {
  readonly #send: (text: string) => void
  readonly #watchdogMs: number | undefined
  /** Whether there is one: systemd has started us. */
  readonly isThere: boolean

  /** Removes the variables that it reads, so that no program that we start speaks for us. */
  constructor(
    environment: NodeJS.ProcessEnv,
    { systemCalls, logger }: { readonly systemCalls: SystemCalls | undefined; readonly logger: Logger },
  ) {
    const { NOTIFY_SOCKET: path, WATCHDOG_USEC: microseconds, WATCHDOG_PID: forWhom } = environment
    for (const variable of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete environment[variable]
    this.isThere = path !== undefined
    const isForUs = forWhom === undefined || forWhom === String(process.pid)
    this.#watchdogMs =
      path !== undefined && isForUs && Number(microseconds) > 0 ? Number(microseconds) / 1000 : undefined
    if (path !== undefined && !systemCalls)
      logger.error('the service manager cannot be told anything: the native addon is missing')
    this.#send = (text) => {
      if (path === undefined || !systemCalls) return
      try {
        systemCalls.sendDatagram(path, text)
      } catch (error) {
        logger.warn('the service manager cannot be told how things are', { error: messageOf(error) })
      }
    }
  }

  ready(status: string): void {
    this.#send(`READY=1\nSTATUS=${status}`)
  }

  status(status: string): void {
    this.#send(`STATUS=${status}`)
  }

  /** Between this and the next `ready` the configuration is read. */
  reloading(): void {
    this.#send(`RELOADING=1\nMONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`)
  }

  stopping(): void {
    this.#send('STOPPING=1')
  }

  /** Asks for more time than the service manager grants by itself, from now on. */
  extendTimeout(ms: number): void {
    this.#send(`EXTEND_TIMEOUT_USEC=${ms * 1000}`)
  }

  /** Gives signs of life as often as it was asked to, until `signal` fires. */
  async keepAlive(clock: Clock, signal: AbortSignal): Promise<void> {
    if (this.#watchdogMs === undefined) return
    while (!signal.aborted) {
      this.#send('WATCHDOG=1')
      await clock.sleep(this.#watchdogMs / 2, { signal }).catch(() => {})
    }
  }
}
