import { isVirError, VirError } from '@covirt/core'
import type { DriverStatus } from './member.js'

/** Why each driver cannot be used, as the cause of a {@link VirError}. */
class UnusableDrivers extends Error {
  readonly drivers: readonly DriverStatus[]

  constructor(drivers: readonly DriverStatus[]) {
    super(reasonsOf(drivers))
    this.drivers = drivers
  }
}

/** The `NO_CONNECT` of a host where no driver can be used; its message has the reason of each. */
export function noUsableDriver(drivers: readonly DriverStatus[]): VirError {
  return new VirError('NO_CONNECT', `No driver can be used here: ${reasonsOf(drivers)}`, {
    domain: 'URI',
    hint: "Install or allow what is missing for one of them; 'test:///default' needs nothing",
    cause: new UnusableDrivers(drivers),
  })
}

/** What became of each driver, where `error` says that a host connection found none that can be used. */
export function unusableDriversOf(error: unknown): readonly DriverStatus[] | undefined {
  if (!isVirError(error, 'NO_CONNECT')) return undefined
  return error.cause instanceof UnusableDrivers ? error.cause.drivers : undefined
}

function reasonsOf(drivers: readonly DriverStatus[]): string {
  const reasons = drivers.map((status) => (status.available ? '' : `${status.scheme}: ${status.reason}`))
  return reasons.join('; ') || 'there are none'
}
