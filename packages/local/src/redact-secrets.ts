import type { DomainXml } from '@covirt/xml'

/** The document without the passwords it holds: those of its graphics. */
export function redactSecrets(document: DomainXml): DomainXml {
  const { devices } = document
  if (!devices?.graphics.some((graphics) => 'passwd' in graphics && graphics.passwd !== undefined))
    return document
  return {
    ...document,
    devices: {
      ...devices,
      graphics: devices.graphics.map((graphics) => ({ ...graphics, passwd: undefined })),
    },
  }
}
