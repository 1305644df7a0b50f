import { VirError } from '@covirt/core'

/** What an option's JSON form may hold; `undefined` members are left out. */
export type JsonValue =
  | string
  | number
  | boolean
  | undefined
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue }

/** An option whose value is JSON, which no text from a definition can break out of. */
export function json(option: string, value: { readonly [name: string]: JsonValue }): string[] {
  return [option, JSON.stringify(value)]
}

/** `-device` in JSON form. */
export function device(
  driver: string,
  id: string,
  properties: { readonly [name: string]: JsonValue } = {},
): string[] {
  return json('-device', { driver, id, ...properties })
}

/**
 * An option in QEMU's own form, `head,key=value,…`, for those that take no JSON in all supported versions.
 * Commas in values are doubled, as QEMU wants it; `undefined` values are left out.
 */
export function keyval(
  option: string,
  head: string | undefined,
  values: Readonly<Record<string, string | number | boolean | undefined>> = {},
): string[] {
  const pairs = Object.entries(values).flatMap(([key, value]) => {
    if (value === undefined) return []
    return `${key}=${escaped(typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value))}`
  })
  return [option, [...(head === undefined ? [] : [escaped(head)]), ...pairs].join(',')]
}

function escaped(text: string): string {
  return text.replaceAll(',', ',,')
}

/** The error for what a definition asks for and this driver knows but cannot do. */
export function unsupported(what: string, hint?: string): VirError {
  return new VirError('CONFIG_UNSUPPORTED', `The QEMU driver does not support ${what}`, {
    domain: 'QEMU',
    ...(hint === undefined ? {} : { hint }),
  })
}

/** The error for a definition that lacks something or contradicts itself. */
export function malformed(problem: string, hint?: string): VirError {
  return new VirError('XML_ERROR', problem, { domain: 'QEMU', ...(hint === undefined ? {} : { hint }) })
}

/** `path`, if it is absolute: QEMU works in a directory of its own, so others would lead astray. */
export function absolute(path: string, element: string): string {
  if (path.startsWith('/') && !path.includes('\0')) return path
  throw malformed(`${element}: '${path}' is not an absolute path`, 'Write the whole path, from /')
}
