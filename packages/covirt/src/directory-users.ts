import type { CallOptions, Driver } from '@covirt/core'
import { parseDomain } from '@covirt/xml'

/** Whether a domain of `driver` has a file system that is `directory`, or in it. */
export async function isUsed(directory: string, driver: Driver, options?: CallOptions): Promise<boolean> {
  const isThere = (path: unknown) => typeof path === 'string' && `${path}/`.startsWith(`${directory}/`)
  for (const domain of await driver.listDomains({}, options)) {
    const xml = await driver.getDomainXml(domain, { ...options, inactive: true })
    if (filesystemsOf(xml).some(isThere)) return true
  }
  return false
}

function filesystemsOf(xml: string): unknown[] {
  return parseDomain(xml).devices.filesystems.flatMap(({ source }) => Object.values(source ?? {}))
}
