import { join } from 'node:path'
import {
  type Clock,
  type ConnectUri,
  type Driver,
  type DriverProvider,
  formatConnectUri,
  type Logger,
  silentLogger,
  systemClock,
  throwIfAborted,
  VirError,
} from '@covirt/core'
import { FileStore } from './file-store.js'
import type { Hypervisor } from './hypervisor.js'
import { LocalDriver } from './local-driver.js'
import { ownRoot } from './owned-root.js'
import { FilePlaces } from './places.js'
import { type Root, resolveRoot } from './root.js'
import { SharedResources } from './shared-resources.js'

/** What a driver whose guests live on this host is made of. */
export interface LocalProviderOptions {
  /** The URI's scheme, and the name of the driver's directories: `lxc`, `qemu`. */
  readonly scheme: string
  /** The URI paths it answers to; the first is the canonical one. */
  readonly paths: readonly [string, ...string[]]
  /** The parameters that it takes besides `root`. */
  readonly parameters?: readonly string[]
  /** See {@link DriverProvider.probe}. */
  readonly probe: () => Promise<string | undefined>
  readonly hypervisor: (context: HypervisorContext) => Promise<Hypervisor>
}

/** What a hypervisor is given when it is made. */
export interface HypervisorContext {
  readonly uri: ConnectUri
  readonly root: Root
  /** The driver's own directory below the root's state directory. */
  readonly stateDirectory: string
  readonly clock: Clock
  readonly logger: Logger
}

const drivers = new SharedResources<LocalDriver>()

/**
 * The provider of a driver that keeps its domains in files below a root (see {@link resolveRoot}), which one
 * process at a time owns. Opening it again in the same process shares it.
 */
export function localProvider<D extends Driver>(options: LocalProviderOptions): DriverProvider<D> {
  const { scheme, probe } = options
  return {
    schemes: [scheme],
    probe,
    open: async (uri, { logger = silentLogger, clock = systemClock, signal } = {}) => {
      throwIfAborted(signal)
      const canonical = checkUri(uri, options)
      const why = await probe()
      if (why !== undefined) {
        throw new VirError('NO_CONNECT', `The ${scheme} driver cannot be used here: ${why}`, {
          domain: 'URI',
        })
      }
      const root = resolveRoot(canonical)
      const key = `${scheme}:${root.runDirectory}`
      const driver = await drivers.acquire(key, () =>
        openDriver(options, { uri: canonical, root, clock, logger, key }),
      )
      // What `roles` returned is on the driver now, which is all that D adds.
      return driver as Driver as D
    },
  }
}

async function openDriver(
  options: LocalProviderOptions,
  at: {
    readonly uri: ConnectUri
    readonly root: Root
    readonly clock: Clock
    readonly logger: Logger
    readonly key: string
  },
): Promise<LocalDriver> {
  const { uri, root, clock, logger, key } = at
  const owned = await ownRoot(root)
  try {
    const below = (directory: string) => join(directory, options.scheme)
    const stateDirectory = below(root.stateDirectory)
    const hypervisor = await options.hypervisor({ uri, root, stateDirectory, clock, logger })
    return await LocalDriver.open({
      uri: formatConnectUri(uri),
      hypervisor,
      store: new FileStore(
        {
          definitions: below(root.configDirectory),
          statuses: below(root.runDirectory),
          snapshots: join(stateDirectory, 'snapshots'),
        },
        logger,
      ),
      places: new FilePlaces({
        run: below(root.runDirectory),
        state: stateDirectory,
        log: below(root.logDirectory),
      }),
      ids: owned.ids,
      clock,
      logger,
      release: (dispose) =>
        drivers.release(key, async () => {
          await dispose()
          await owned.release()
        }),
    })
  } catch (error) {
    await owned.release()
    throw error
  }
}

/** Returns it in canonical form. */
function checkUri(uri: ConnectUri, { scheme, paths, parameters = [] }: LocalProviderOptions): ConnectUri {
  const refuse = (why: string): never => {
    throw new VirError('INVALID_ARG', `'${formatConnectUri(uri)}' is not for the ${scheme} driver: ${why}`, {
      domain: 'URI',
      hint: `Use ${paths.map((path) => `'${scheme}://${path}'`).join(' or ')}`,
    })
  }
  if (uri.scheme !== scheme) refuse(`its scheme is '${uri.scheme}'`)
  if (uri.transport !== undefined || uri.host !== undefined) refuse('it names another host or a transport')
  if (uri.path !== '/' && !paths.includes(uri.path)) refuse(`it has no instance '${uri.path}'`)
  for (const key of Object.keys(uri.query))
    if (key !== 'root' && !parameters.includes(key)) refuse(`it has no parameter '${key}'`)
  return uri.path === '/' ? { ...uri, path: paths[0] } : uri
}
