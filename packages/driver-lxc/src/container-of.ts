import type { DomainRef } from '@covirt/core'
import type { Container } from './native.js'

/** The container of a domain: named as that where liblxc takes the name, so that its own tools show it. */
export function containerOf(path: string, { name, uuid }: DomainRef): Container {
  return { path, name: /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(name) ? name : uuid }
}
