import { type DeviceXml, plain } from '@covirt/xml'

/** Whether `wanted` says nothing of `device` that it is not already, but for these of its parts. */
export function sameBut(device: DeviceXml, wanted: DeviceXml, parts: readonly string[]): boolean {
  const others = Object.fromEntries(parts.map((part) => [part, undefined]))
  return says(plain(device), { ...plain(wanted), ...others })
}

function says(value: unknown, wanted: unknown): boolean {
  if (wanted === undefined) return true
  if (typeof wanted !== 'object' || wanted === null) return value === wanted
  if (Array.isArray(wanted) && wanted.length === 0) return true
  if (typeof value !== 'object' || value === null) return false
  const own = value as Readonly<Record<string, unknown>>
  return Object.entries(wanted).every(([name, part]) => says(own[name], part))
}
