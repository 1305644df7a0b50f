import { type Driver, type DriverProvider, messageOf, VirError } from '@covirt/core'
import type { HostDriver } from '@covirt/driver-host'
import type { LxcDriver } from '@covirt/driver-lxc'
import type { QemuDriver } from '@covirt/driver-qemu'
import type { RemoteDriver } from '@covirt/driver-remote'
import type { TestDriver } from '@covirt/driver-test'

/**
 * The drivers that come with covirt, by the scheme of their URIs. Where a daemon owns the state that the URI names, it
 * is that one's driver, with the same roles.
 */
export interface BuiltinDrivers {
  readonly covirt: HostDriver | RemoteDriver
  readonly lxc: LxcDriver
  readonly qemu: QemuDriver
  readonly test: TestDriver
}

/**
 * What local drivers have in common, loaded before any of them: some are loaded at the same time, and not every loader of
 * modules can begin with one module twice (Jest's cannot).
 */
const machinery = () => import('@covirt/local')

const lxc = lazyProvider('lxc', async () => {
  await machinery()
  return (await import('@covirt/driver-lxc')).lxcProvider
})
const qemu = lazyProvider('qemu', async () => {
  await machinery()
  return (await import('@covirt/driver-qemu')).qemuProvider
})
const test = lazyProvider('test', async () => {
  await machinery()
  return (await import('@covirt/driver-test')).testProvider
})
const covirt = lazyProvider('covirt', async () => {
  await machinery()
  const { hostProvider } = await import('@covirt/driver-host')
  const { hostDocuments } = await import('@covirt/xml')
  const members = [
    { provider: lxc, domainTypes: ['lxc'] },
    { provider: qemu, domainTypes: ['qemu', 'kvm'] },
  ]
  return hostProvider({ members, documents: hostDocuments })
})

/** The provider of connections to other processes, whatever the scheme of the URI (see `isRemoteUri`). */
export const remoteProvider = lazyProvider(
  'remote',
  async () => (await import('@covirt/driver-remote')).remoteProvider,
)

/** The providers of {@link BuiltinDrivers}. Each loads its package when it is first used. */
export const builtinProviders: readonly DriverProvider[] = [covirt, lxc, qemu, test]

/** A provider that loads the real one when it is first asked for something. */
function lazyProvider<D extends Driver>(
  scheme: string,
  load: () => Promise<DriverProvider<D>>,
): DriverProvider<D> {
  return {
    schemes: [scheme],
    probe: async () => {
      try {
        return await (await load()).probe()
      } catch (error) {
        return `the ${scheme} driver cannot be loaded: ${messageOf(error)}`
      }
    },
    open: async (uri, options) => (await loaded(scheme, load)).open(uri, options),
  }
}

async function loaded<D extends Driver>(
  scheme: string,
  load: () => Promise<DriverProvider<D>>,
): Promise<DriverProvider<D>> {
  try {
    return await load()
  } catch (cause) {
    throw new VirError('NO_CONNECT', `The ${scheme} driver cannot be loaded: ${messageOf(cause)}`, {
      cause,
      hint: `Install @covirt/driver-${scheme === 'covirt' ? 'host' : scheme}`,
    })
  }
}
