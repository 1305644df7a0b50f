import { join } from 'node:path'
import {
  type Connection,
  formatConnectUri,
  isRemoteUri,
  type Logger,
  parseConnectUri,
  silentLogger,
  systemClock,
} from '@covirt/core'
import type { RemoteDriver } from '@covirt/driver-remote'
import type { HostLifecycle } from '@covirt/lifecycle'
import { resolveRoot } from '@covirt/local/served'
import { throughOwner } from './owning-daemon.js'

/**
 * What brings the guests of `connection` up and down in their order, and tells who did. Where a covirt daemon stands
 * behind the connection its own plans are meant, which know its configuration and journal; elsewhere, as with libvirt's
 * daemons, plans are made and run in this process. It is to be disposed of before the connection is closed.
 *
 * ```ts
 * await using lifecycle = await openLifecycle(connection)
 * const report = await lifecycle.down({ deadlineMs: 60_000 }, { onProgress: console.log })
 * ```
 */
export async function openLifecycle(
  { driver }: Connection,
  { logger = silentLogger }: { readonly logger?: Logger | undefined } = {},
): Promise<HostLifecycle & AsyncDisposable> {
  const lifecycle = await import('@covirt/lifecycle')
  const { service } = driver as Partial<Pick<RemoteDriver, 'service'>>
  const peer = service?.call(driver, lifecycle.lifecycleServiceName)
  if (peer) return disposable(new lifecycle.PeerLifecycle(peer), async () => {})
  const { executableHooks, FileJournal, LocalLifecycle, MemoryJournal, readBootIdentity } = lifecycle
  const place = placeOf(driver.uri)
  const journal = place ? FileJournal.open({ directory: place.journal }) : new MemoryJournal()
  const local = new LocalLifecycle({
    driver,
    clock: systemClock,
    logger,
    journal,
    boot: await readBootIdentity(),
    probeIo: new lifecycle.SystemProbeIo(driver, place?.notify ?? '/run/covirt/notify'),
    conditions: lifecycle.systemConditions,
    ...(place && { hooks: executableHooks(place.hooks), partOf: place.partOf }),
  })
  return disposable(local, () => journal.close())
}

/** Where the journal of what `uri` names can be read without a connection; `undefined` where there is no such place. */
export async function journalDirectory(uri: string): Promise<string | undefined> {
  const place = placeOf(uri)
  return place && !(await throughOwner(parseConnectUri(uri))) ? place.journal : undefined
}

interface Place {
  readonly journal: string
  readonly hooks: string
  readonly notify: string
  /** The URI of all guests that the journal is about, where these are only some of them. */
  readonly partOf: string | undefined
}

/** Guests that live in this process, or in another one, have no places here. */
function placeOf(text: string): Place | undefined {
  const uri = parseConnectUri(text)
  if (uri.scheme === 'test' || isRemoteUri(uri)) return undefined
  const { stateDirectory, configDirectory, runDirectory } = resolveRoot(uri)
  return {
    journal: join(stateDirectory, 'lifecycle'),
    hooks: join(configDirectory, 'hooks'),
    notify: join(runDirectory, 'notify'),
    partOf: uri.scheme === 'covirt' ? undefined : formatConnectUri({ ...uri, scheme: 'covirt' }),
  }
}

function disposable<T extends object>(value: T, dispose: () => Promise<void>): T & AsyncDisposable {
  return Object.assign(value, { [Symbol.asyncDispose]: dispose })
}
