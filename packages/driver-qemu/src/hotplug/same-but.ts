import { type DeviceXml, plain, says } from '@covirt/xml'

/** Whether `wanted` says nothing of `device` that it is not already, but for these of its parts. */
export function sameBut(device: DeviceXml, wanted: DeviceXml, parts: readonly string[]): boolean {
  const others = Object.fromEntries(parts.map((part) => [part, undefined]))
  return says(plain(device), { ...plain(wanted), ...others })
}
