import type { CallOptions, DomainRef, OptionalRoles } from '@covirt/core'
import { decodeRoleValue, encodeRoleValue, procedures, roleMethods } from '@covirt/protocol'
import type { PeerCalls } from '../peer-calls.js'

type Method = (domain: DomainRef, ...args: readonly unknown[]) => Promise<unknown>

/** The roles of a covirt server whose methods travel by their names: see `roleMethods`. */
export function rolesByName(calls: PeerCalls, names: readonly string[]): OptionalRoles {
  const roles = Object.entries(roleMethods).filter(([role]) => names.includes(role))
  return Object.fromEntries(
    roles.map(([role, methods]) => {
      const all = Object.entries(methods).map(([method, access]): [string, Method] => {
        const procedure = access === 'read' ? procedures.covirtQueryRole : procedures.covirtCallRole
        return [
          method,
          async (domain, ...args) => {
            const last = args.at(-1)
            const { signal, ...options }: CallOptions = isOptions(last) ? last : {}
            const others = last === undefined || isOptions(last) ? args.slice(0, -1) : args
            const text = encodeRoleValue([domain, ...others, options]) ?? ''
            const { result } = await calls.call(procedure, { role, method, args: text }, { signal })
            return decodeRoleValue(result)
          },
        ]
      })
      return [role, Object.fromEntries(all)]
    }),
  )
}

/** Options come last, and may be left out; all else that these methods take is text. */
function isOptions(value: unknown): value is CallOptions {
  return typeof value === 'object' && value !== null
}
