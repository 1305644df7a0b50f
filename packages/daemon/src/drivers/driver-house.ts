import { resolve } from 'node:path'
import {
  type Clock,
  type ConnectUri,
  type Driver,
  type DriverEntry,
  type DriverProvider,
  formatConnectUri,
  type Logger,
  messageOf,
  parseConnectUri,
  VirError,
} from '@covirt/core'
import { hostProvider } from '@covirt/driver-host'
import { hostDocuments } from '@covirt/xml'

/** Which instance of covirt a daemon is. */
export interface Instance {
  /** `/system` or `/session`. */
  readonly path: string
  /** Keeps everything below this directory. Default: as the path says. */
  readonly root?: string | undefined
}

/** The URI of an instance, in the words of `scheme`. */
export function instanceUri(scheme: string, { path, root }: Instance): ConnectUri {
  return { scheme, path, query: root === undefined ? {} : { root } }
}

/** Whose state is below the root; a simulated world is not, and has instances of its own. */
const simulated = 'test'
/** What clients ask for that know no URI of covirt's, whether there is a driver for it or not. */
const usual: readonly string[] = ['lxc', 'qemu']

/**
 * The drivers of one instance. As long as the daemon lives it holds each of them open, so that guests are found again
 * at once and what happens is noticed while nobody is connected; each client has them in common.
 */
export class DriverHouse {
  readonly #instance: Instance
  readonly #entries: readonly DriverEntry[]
  readonly #options: { readonly logger: Logger; readonly clock: Clock }
  readonly #providers: readonly DriverProvider[]
  readonly #showAllAs: readonly string[]
  readonly #held: Driver[] = []

  /** `CONF_SYNTAX` where `showAllAs` names what nobody can mean. */
  constructor(
    instance: Instance,
    entries: readonly DriverEntry[],
    options: {
      readonly logger: Logger
      readonly clock: Clock
      /** The schemes whose clients get the guests of all drivers: of these, or of libvirt's for such guests. */
      readonly showAllAs: readonly string[]
    },
  ) {
    const { showAllAs, ...parts } = options
    this.#instance = instance
    this.#entries = entries
    this.#options = parts
    this.#showAllAs = showAllAs
    const members = entries.filter(({ domainTypes }) => domainTypes.length > 0)
    this.#providers = [
      hostProvider({ members, documents: hostDocuments }),
      ...entries.map(({ provider }) => provider),
    ]
    this.#checkShown()
  }

  /** The schemes of its drivers. */
  get schemes(): readonly string[] {
    return this.#entries.flatMap(({ provider }) => provider.schemes)
  }

  /** The drivers that are held open. */
  get held(): readonly Driver[] {
    return this.#held
  }

  /** Opens every driver that can be used here. One that cannot is logged; rejects only where `signal` fires. */
  async open(signal: AbortSignal): Promise<void> {
    const { logger } = this.#options
    const members = this.#entries.map(async ({ provider }) => {
      const [scheme = ''] = provider.schemes
      try {
        this.#held.push(await this.#openUri(this.#ownUri(scheme), signal))
        logger.info('driver opened', { scheme })
      } catch (error) {
        signal.throwIfAborted()
        logger.warn('driver cannot be used', { scheme, reason: messageOf(error) })
      }
    })
    await Promise.all(members)
  }

  /**
   * What a client asks for, as it wrote it; the empty string, and the schemes that show all, are all of the drivers. `NO_CONNECT` where no driver
   * answers to it, `INVALID_ARG` where it means another instance than this one.
   */
  async connect(text: string, { signal }: { readonly signal: AbortSignal }): Promise<Driver> {
    if (text === '') return this.#openUri(instanceUri('covirt', this.#instance), signal)
    const { scheme, path, query } = parseConnectUri(text)
    // no `root`: clients could make any number of worlds
    if (scheme === simulated) return this.#openUri({ scheme, path, query: {} }, signal)
    this.#checkInstance(text, path, query.root)
    const shown = this.#showAllAs.includes(scheme) ? 'covirt' : scheme
    return this.#openUri(instanceUri(shown, this.#instance), signal)
  }

  /** See {@link DriverEntry.warmUp}. */
  async warmUp(): Promise<void> {
    for (const { warmUp } of this.#entries) await warmUp?.()
  }

  async close(): Promise<void> {
    const closed = await Promise.allSettled(this.#held.splice(0).map((driver) => driver.close()))
    for (const outcome of closed)
      if (outcome.status === 'rejected')
        this.#options.logger.error('driver does not close', { error: outcome.reason })
  }

  #ownUri(scheme: string): ConnectUri {
    return scheme === simulated ? { scheme, path: '/', query: {} } : instanceUri(scheme, this.#instance)
  }

  async #openUri(uri: ConnectUri, signal: AbortSignal): Promise<Driver> {
    const provider = this.#providers.find(({ schemes }) => schemes.includes(uri.scheme))
    if (provider) return provider.open(uri, { ...this.#options, signal })
    throw new VirError('NO_CONNECT', `No driver of this daemon answers to '${uri.scheme}:'`, {
      domain: 'URI',
      hint: `It has ${['covirt', ...this.schemes].map((scheme) => `${scheme}:`).join(', ')}; 'drivers' in its configuration chooses`,
    })
  }

  #checkShown(): void {
    const known = [...new Set([...usual, ...this.schemes])].filter((scheme) => scheme !== simulated)
    const wrong = this.#showAllAs.find((scheme) => !known.includes(scheme))
    if (wrong === undefined) return
    throw new VirError('CONF_SYNTAX', `show_all_as: '${wrong}' is no scheme of the drivers`, {
      domain: 'CONF',
      hint: `There are: ${known.join(', ')}`,
    })
  }

  #checkInstance(text: string, path: string, root: string | undefined): void {
    const { path: own, root: ownRoot } = this.#instance
    if ((path === '/' || path === own) && (root === undefined || resolve(root) === ownRoot)) return
    throw new VirError('INVALID_ARG', `'${text}' is not served by this daemon`, {
      domain: 'URI',
      hint: `It serves ${formatConnectUri(instanceUri('covirt', this.#instance))}`,
    })
  }
}
