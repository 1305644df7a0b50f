import {
  type ConnectUri,
  type Driver,
  type DriverProvider,
  formatConnectUri,
  isVirError,
  messageOf,
  type OpenOptions,
  type RoleName,
  roleNames,
} from '@covirt/core'

/** One kind of driver that a host connection is made of. */
export interface HostMember {
  readonly provider: DriverProvider
  /** The values of `<domain type=…>` that go to it. No two members may share one. */
  readonly domainTypes: readonly string[]
}

/** What became of a member when the connection was opened. */
export type DriverStatus = UsableDriver | UnusableDriver

interface UsableDriver {
  readonly scheme: string
  readonly domainTypes: readonly string[]
  readonly available: true
  /** In libvirt's words: `LXC`, `QEMU`. */
  readonly type: string
  readonly uri: string
  readonly roles: readonly RoleName[]
  /** What runs its guests, for example `{ liblxc: '5.0.2' }`. */
  readonly hypervisors: Readonly<Record<string, string>>
}

interface UnusableDriver {
  readonly scheme: string
  readonly domainTypes: readonly string[]
  readonly available: false
  /** Why, with what to do about it. */
  readonly reason: string
}

/** A member as it is while the connection is open; without a driver where it cannot be used. */
export interface OpenedMember {
  readonly driver?: Driver
  readonly status: DriverStatus
}

/** The URI by which a host connection to `uri` opens the driver of `scheme`: all but the scheme is the same. */
function memberUri(uri: ConnectUri, scheme: string): ConnectUri {
  return { ...uri, scheme }
}

/**
 * Opens `member`, or says why it cannot be used. Rejects only where that would hide domains that exist
 * (`RESOURCE_BUSY`: another process owns them) and where the caller gave up (`OPERATION_ABORTED`).
 */
export async function openMember(
  { provider, domainTypes }: HostMember,
  uri: ConnectUri,
  options: OpenOptions,
): Promise<OpenedMember> {
  const scheme = provider.schemes[0] ?? 'unknown'
  const unusable = (reason: string): OpenedMember => ({
    status: { scheme, domainTypes, available: false, reason },
  })
  const missing = await provider.probe()
  if (missing !== undefined) return unusable(missing)
  let driver: Driver | undefined
  try {
    driver = await provider.open(memberUri(uri, scheme), options)
    const { hypervisors } = await driver.getVersion({ signal: options.signal })
    const roles = roleNames.filter((role) => driver?.[role] !== undefined)
    const status = { scheme, domainTypes, type: driver.type, uri: driver.uri, roles, hypervisors }
    return { driver, status: { ...status, available: true } }
  } catch (error) {
    await driver?.close()
    if (isVirError(error, 'RESOURCE_BUSY') || isVirError(error, 'OPERATION_ABORTED')) throw error
    options.logger?.warn('A driver could not be opened', {
      uri: formatConnectUri(memberUri(uri, scheme)),
      error: messageOf(error),
    })
    const hint = isVirError(error) && error.hint !== undefined ? ` (${error.hint})` : ''
    return unusable(`${messageOf(error)}${hint}`)
  }
}
