import type { Driver } from './driver.js'
import { VirError } from './errors.js'
import type { DriverRoles, OptionalRoles, RoleName } from './roles.js'

/** The role object of `driver`, or `NO_SUPPORT`: the only place where an absent role becomes an error. */
export function requireRole<R extends RoleName>(driver: Driver, role: R): DriverRoles[R] {
  const roles: OptionalRoles = driver
  const found = roles[role]
  if (found) return found
  throw new VirError('NO_SUPPORT', `The ${driver.type} driver has no role '${role}'`, {
    hint: 'Another driver may have it: the README has a table of drivers and roles',
  })
}
