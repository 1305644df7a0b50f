import { type Driver, formatConnectUri, messageOf, VirError } from '@covirt/core'
import { type OwnedRoot, ownRoot, resolveRoot } from '@covirt/local'
import type { AccessPolicy } from '@covirt/server'
import { knownClients } from './access/known-clients.js'
import type { PasswordFile } from './access/password-file.js'
import { rulePolicy } from './access/rule-policy.js'
import type { DaemonConfig } from './config/config-schema.js'
import type { DaemonContext, DaemonHook } from './daemon-hook.js'
import { type DriverHouse, instanceUri } from './drivers/driver-house.js'
import type { Incoming } from './listen/connection.js'
import { Listeners, type ListenersOptions } from './listen/listeners.js'
import type { StreamLogger } from './log/stream-logger.js'

/** What a daemon is made of. */
export interface DaemonParts extends Omit<DaemonContext, 'open' | 'logger'> {
  readonly house: DriverHouse
  readonly policy: CurrentPolicy
  readonly passwords: PasswordFile
  readonly listening: Omit<ListenersOptions, 'accept' | 'schemes'>
  readonly hooks: readonly DaemonHook[]
  readonly logger: StreamLogger
}

/** The policy in force, which can be exchanged. */
export class CurrentPolicy {
  #policy: AccessPolicy = () => undefined
  readonly decide: AccessPolicy = (identity) => this.#policy(identity)

  set(policy: AccessPolicy): void {
    this.#policy = policy
  }
}

/** One running daemon: it owns a root, holds its drivers and serves them on sockets. */
export class Daemon {
  readonly #parts: DaemonParts
  readonly #stopped = new AbortController()
  readonly #running: Promise<void>[] = []
  #root: OwnedRoot | undefined
  #listeners: Listeners | undefined

  constructor(parts: DaemonParts) {
    this.#parts = parts
  }

  /**
   * Resolves once clients can connect. `RESOURCE_BUSY` where another process owns the root or listens on the
   * socket; whatever the reason, nothing is left where it rejects.
   */
  async start(): Promise<void> {
    const { config, house, instance, listening, serviceManager, logger, clock, hooks } = this.#parts
    const { signal } = this.#stopped
    try {
      const root = resolveRoot(instanceUri('covirt', instance))
      this.#root = await ownRoot(root, { socket: listening.socket })
      await this.#setPolicy(config)
      await house.open(signal)
      this.#listeners = await Listeners.open(config, {
        ...listening,
        schemes: house.schemes,
        accept: (incoming) => this.#accept(incoming),
      })
    } catch (error) {
      await this.#letGo()
      throw error
    }
    const { addresses } = this.#listeners
    const uri = formatConnectUri(instanceUri('covirt', instance))
    logger.info('covirtd is ready', { uri, pid: process.pid, listening: addresses.join(',') })
    serviceManager.ready(`serving ${house.held.length} drivers`)
    this.#running.push(serviceManager.keepAlive(clock, signal))
    this.#running.push(this.#guarded(house.warmUp()))
    for (const hook of hooks) this.#running.push(this.#guarded(hook.started?.(this.#context, signal)))
  }

  /**
   * Takes over what `config` says of access, logs and certificates. Clients that have lost a right are cut off, as are
   * those whose password was changed or taken away, or whose certificate was revoked, is too old or has a name that is not
   * allowed any more; the others stay.
   */
  async reload(config: DaemonConfig): Promise<void> {
    const { logger, serviceManager, house, server, passwords } = this.#parts
    serviceManager.reloading()
    try {
      const verifiers = await passwords.verifiers()
      await this.#setPolicy(config)
      await this.#listeners?.reload(config)
      const known = knownClients(verifiers, config.tls)
      await server.reviewGrants((identity) => known(identity) && (this.#listeners?.trusts(identity) ?? true))
      logger.info('configuration read anew')
    } finally {
      serviceManager.ready(`serving ${house.held.length} drivers`)
    }
  }

  /** Lets go of everything; guests live on. Calling it again does nothing. */
  async stop(): Promise<void> {
    if (this.#stopped.signal.aborted) return
    const { serviceManager, logger, hooks } = this.#parts
    logger.info('covirtd goes down')
    serviceManager.stopping()
    await Promise.all(hooks.map((hook) => this.#guarded(hook.stopping?.(this.#context))))
    this.#stopped.abort(new VirError('OPERATION_ABORTED', 'covirtd goes down'))
    await Promise.all(this.#running)
    await this.#letGo()
  }

  get #context(): DaemonContext {
    const open = (signal: AbortSignal): Promise<Driver> => this.#parts.house.connect('', { signal })
    return { ...this.#parts, open }
  }

  async #letGo(): Promise<void> {
    await this.#listeners?.close()
    await this.#parts.server.close()
    await this.#parts.house.close()
    await this.#root?.release()
  }

  async #setPolicy({ access }: DaemonConfig): Promise<void> {
    const { policy, logger, listening } = this.#parts
    const ofHost = (user: string) => !user.startsWith('sasl:')
    const named = access.rules.some(({ users, groups }) => users?.some(ofHost) ?? groups)
    if (named && !listening.systemCalls)
      logger.error('rules for users and groups are void: without the native addon peers cannot be told')
    policy.set(await rulePolicy(access, { logger, ownUid: process.getuid?.() ?? 0 }))
  }

  #accept({ stream, identity, ...options }: Incoming): void {
    this.#parts.server.accept(stream, identity, options)
  }

  async #guarded(hook: Promise<void> | undefined): Promise<void> {
    try {
      await hook
    } catch (error) {
      this.#parts.logger.error('a hook of the daemon has failed', { reason: messageOf(error) })
    }
  }
}
