import { join, resolve } from 'node:path'
import type {
  AddressesRole,
  ConnectUri,
  ConsoleRole,
  Driver,
  DriverProvider,
  ExecRole,
  FilesRole,
  NativeConfigRole,
  ProcessesRole,
  SnapshotsRole,
  StatisticsRole,
} from '@covirt/core'
import { localProvider } from '@covirt/local'
import { prepareContainersDirectory } from './host/containers-directory.js'
import { LxcHypervisor } from './lxc-hypervisor.js'
import { probeLxc } from './native.js'

/** The driver of containers: there is neither a reset button nor an agent. */
export interface LxcDriver extends Driver {
  readonly console: ConsoleRole
  readonly exec: ExecRole
  readonly processes: ProcessesRole
  readonly addresses: AddressesRole
  readonly files: FilesRole
  readonly snapshots: SnapshotsRole
  readonly statistics: StatisticsRole
  readonly nativeConfig: NativeConfigRole
  readonly reset?: undefined
  readonly guestAgent?: undefined
  readonly savedState?: undefined
  readonly graphics?: undefined
  readonly keyboard?: undefined
  readonly nmi?: undefined
  readonly guestTime?: undefined
}

/** Connections `lxc:///system` and `lxc:///session`. Needs root, liblxc and the native addon. */
export const lxcProvider: DriverProvider<LxcDriver> = localProvider<LxcDriver>({
  scheme: 'lxc',
  paths: ['/system', '/session'],
  parameters: ['lxcpath'],
  probe: async () => {
    if (process.platform !== 'linux') return 'containers need Linux'
    const probe = probeLxc()
    if (!probe.available) return probe.reason
    return process.geteuid?.() === 0 ? undefined : 'containers need root (sudo)'
  },
  hypervisor: async ({ stateDirectory, uri, logger }) => {
    const probe = probeLxc()
    const version = probe.available ? probe.version : ''
    return LxcHypervisor.open({
      containersDirectory: prepareContainersDirectory(join(stateDirectory, 'containers'), sharedContainers),
      idRanges: { own: join(stateDirectory, 'id-ranges'), host: hostIdRanges },
      lxcpath: lxcpathOf(uri),
      version,
      logger,
    })
  },
})

/** Where those roots have their containers that not anybody can reach. */
const sharedContainers = '/var/lib/covirt/closed-roots'

/** Whose ids of the host are whose; one for all roots, whoever made them. */
const hostIdRanges = '/var/lib/covirt/id-ranges'

/** Where liblxc's own tools keep their containers, unless the URI names another place. */
const defaultLxcpath = '/var/lib/lxc'

/** A root of its own has nothing to do with the system's containers. */
function lxcpathOf({ path, query: { root, lxcpath } }: ConnectUri): string | undefined {
  if (lxcpath !== undefined) return resolve(lxcpath)
  return root === undefined && path === '/system' ? defaultLxcpath : undefined
}
