import {
  Connection,
  type ConnectUri,
  type Driver,
  type DriverProvider,
  isRemoteUri,
  type OpenOptions,
  parseConnectUri,
  throwIfAborted,
  VirError,
} from '@covirt/core'
import type { RemoteDriver } from '@covirt/driver-remote'
import { defaultUri } from './default-uri.js'
import { leavingDirectories } from './leaving-containers.js'
import { throughOwner } from './owning-daemon.js'
import { type BuiltinDrivers, builtinProviders, remoteProvider } from './providers.js'

/** How {@link open} opens a connection. */
export interface ConnectOptions extends OpenOptions {
  /** Providers of other drivers; their schemes go before covirt's own. */
  readonly providers?: readonly DriverProvider[] | undefined
}

/**
 * The driver that a URI leads to, as far as its text is known to the compiler. One that names a transport, a host
 * or a socket leads to another process.
 */
export type DriverOf<U extends string> = U extends
  | `${string}+${string}://${string}`
  | `${string}?${'' | `${string}&`}socket=${string}`
  ? RemoteDriver
  : U extends `${infer S}:///${string}`
    ? S extends keyof BuiltinDrivers
      ? BuiltinDrivers[S]
      : Driver
    : Driver

/**
 * Opens a connection: `lxc:///system`, `qemu:///system`, `test:///default`, or `covirt:///system` for all
 * local drivers at once; `?root=DIR` keeps everything below DIR. Default: {@link defaultUri}. In libvirt's forms
 * `qemu+unix:///system`, `qemu+ssh://user@host/system`, `lxc+tls://host/`, `qemu:///system?socket=PATH` it leads to
 * any libvirt daemon or covirt server. Where a daemon serves the state that a local URI names, it leads to that one.
 *
 * `INVALID_ARG` where `uri` is not one, `NO_CONNECT` where no driver answers to it, the driver cannot be used here
 * or nobody is there, `RESOURCE_BUSY` where another process owns what it names.
 *
 * ```ts
 * await using connection = await open('covirt:///system')
 * const web = await connection.domains.lookupByName('web')
 * ```
 */
export async function open<U extends string>(
  uri: U,
  options?: OpenOptions & { readonly providers?: undefined },
): Promise<Connection<DriverOf<U>>>
export async function open(uri?: string, options?: ConnectOptions): Promise<Connection>
export async function open(
  uri: string = defaultUri(),
  { providers = [], ...options }: ConnectOptions = {},
): Promise<Connection> {
  if (typeof uri !== 'string') throw new TypeError('uri must be a string')
  throwIfAborted(options.signal)
  const parsed = parseConnectUri(uri)
  const known = [...providers, ...builtinProviders]
  if (!providers.some(({ schemes }) => schemes.includes(parsed.scheme))) {
    const remote = isRemoteUri(parsed) ? parsed : await throughOwner(parsed)
    if (remote) {
      const driver = await remoteProvider.open(remote, options)
      return new Connection(isRemoteUri(parsed) ? driver : await cleared(driver, parsed, options))
    }
  }
  const provider = known.find(({ schemes }) => schemes.includes(parsed.scheme))
  if (!provider) {
    throw new VirError('NO_CONNECT', `No driver answers to '${parsed.scheme}:'`, {
      domain: 'URI',
      hint: `Schemes: ${known.flatMap(({ schemes }) => schemes).join(', ')}`,
    })
  }
  const driver = await provider.open(parsed, options)
  return new Connection(builtinProviders.includes(provider) ? await cleared(driver, parsed, options) : driver)
}

/** With containers removed whose removal a process has begun and not lived to finish. */
async function cleared<D extends Driver>(driver: D, uri: ConnectUri, options: OpenOptions): Promise<D> {
  if (uri.scheme !== 'covirt' && uri.scheme !== 'lxc') return driver
  const { containersOf, definitionsOf } = await import('./container-home.js')
  const containers = containersOf(uri)
  if (leavingDirectories(containers).length > 0) {
    const { finishRemovals } = await import('./container-removal.js')
    await finishRemovals({ containers, definitions: definitionsOf(uri), driver }, options)
  }
  return driver
}
