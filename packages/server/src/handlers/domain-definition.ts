import { type DomainMetadata, VirError } from '@covirt/core'
import { impact } from '@covirt/protocol'
import { elementsOf, metadataElement, parseDomain, writeXml, type XmlElement } from '@covirt/xml'
import type { Call, Handlers } from '../handler.js'
import { deleteSnapshots } from './domain-snapshot.js'
import { checkFlags, hasFlag } from './flags.js'

/** virDomainXMLFlags. */
const xml = { secure: 1, inactive: 2, updateCpu: 4, migratable: 8 }
/** VIR_DOMAIN_DEFINE_VALIDATE: what we do not understand we keep, what is wrong we refuse always. */
const defineValidate = 1
/**
 * virDomainUndefineFlagsValues: what goes with the definition. There are no checkpoints, and variables of firmwares
 * go or stay as the driver does it.
 */
const undefine = { managedSave: 1, snapshots: 2 }
const undefineKnown = 0x7f
/** virDomainMetadataType. */
const metadata = { description: 0, title: 1, element: 2 } as const

export const domainDefinitionHandlers = {
  domainDefineXml: async ({ driver, options }, { xml }) => ({
    domain: await driver.defineDomain(xml, options),
  }),
  domainDefineXmlFlags: async ({ driver, options }, { xml, flags }) => {
    checkFlags(flags, defineValidate, 'defining a domain')
    return { domain: await driver.defineDomain(xml, options) }
  },
  domainUndefine: ({ driver, options }, { domain }) => driver.undefineDomain(domain, options),
  domainUndefineFlags: async (call, { domain, flags }) => {
    checkFlags(flags, undefineKnown, 'undefining a domain')
    if (hasFlag(flags, undefine.snapshots)) await deleteSnapshots(call, domain)
    const managedSave = hasFlag(flags, undefine.managedSave)
    await call.driver.undefineDomain(domain, { ...call.options, managedSave })
  },
  domainRename: async ({ driver, options }, { domain, newName, flags }) => {
    checkFlags(flags, 0, 'renaming a domain')
    if (newName === undefined) throw new VirError('INVALID_ARG', 'The new name is missing')
    await driver.renameDomain(domain, newName, options)
    return { result: 0 }
  },
  domainGetXmlDesc: async (call, { domain, flags }) => {
    checkFlags(flags, xml.secure | xml.inactive | xml.updateCpu | xml.migratable, "a domain's document")
    const secure = hasFlag(flags, xml.secure | xml.migratable)
    if (secure) call.require('admin')
    const inactive = hasFlag(flags, xml.inactive)
    return { xml: await call.driver.getDomainXml(domain, { ...call.options, inactive, secure }) }
  },
  domainGetAutostart: async ({ driver, options }, { domain }) => ({
    autostart: await driver.getAutostart(domain, options),
  }),
  domainSetAutostart: ({ driver, options }, { domain, autostart }) =>
    driver.setAutostart(domain, autostart, options),
  domainGetOsType: async (call, { domain }) => {
    const { os } = parseDomain(await call.driver.getDomainXml(domain, call.options))
    return { type: os.type?.type ?? 'hvm' }
  },
  domainIsActive: async ({ driver, options }, { domain }) => ({
    active: (await driver.lookupDomain({ uuid: domain.uuid }, options)).id !== undefined,
  }),
  domainIsPersistent: async ({ driver, options }, { domain }) => ({
    persistent: await driver.isDomainPersistent(domain, options),
  }),
  domainIsUpdated: async ({ driver, options }, { domain }) => {
    await driver.lookupDomain({ uuid: domain.uuid }, options)
    // Definitions are changed by defining them anew alone, which libvirt does not count.
    return { updated: false }
  },
  domainSetMetadata: ({ driver, options }, { domain, type, metadata: value, key, uri, flags }) => {
    checkFlags(flags, impact.live | impact.config, 'metadata')
    return driver.setDomainMetadata(domain, changeOf(type, value, key, uri), {
      ...options,
      live: hasFlag(flags, impact.live),
      config: hasFlag(flags, impact.config),
    })
  },
  domainGetMetadata: async (call, { domain, type, uri, flags }) => {
    checkFlags(flags, impact.live | impact.config, 'metadata')
    const document = await documentFor(call, domain, flags)
    const value = metadataOf(document, type, uri)
    if (value !== undefined) return { metadata: value }
    throw new VirError('NO_DOMAIN_METADATA', `Domain '${domain.name}' has no such metadata`)
  },
} satisfies Handlers

async function documentFor(
  call: Call,
  domain: { uuid: string; name: string },
  flags: number,
): Promise<string> {
  const { driver, options } = call
  if (hasFlag(flags, impact.live)) {
    const { id } = await driver.lookupDomain({ uuid: domain.uuid }, options)
    if (id === undefined) throw new VirError('OPERATION_INVALID', `Domain '${domain.name}' is not running`)
  }
  return driver.getDomainXml(domain, { ...options, inactive: hasFlag(flags, impact.config) })
}

function changeOf(
  type: number,
  value: string | undefined,
  prefix: string | undefined,
  namespace: string | undefined,
): DomainMetadata {
  switch (type) {
    case metadata.description:
      return { kind: 'description', text: value }
    case metadata.title:
      return { kind: 'title', text: value }
    case metadata.element:
      if (namespace === undefined)
        throw new VirError('INVALID_ARG', 'The namespace of the metadata is missing')
      return { kind: 'element', namespace, prefix: prefix ?? '', xml: value }
    default:
      throw new VirError('INVALID_ARG', `There is no metadata of type ${type}`)
  }
}

function metadataOf(document: string, type: number, namespace: string | undefined): string | undefined {
  const domain = parseDomain(document)
  switch (type) {
    case metadata.description:
      return domain.description
    case metadata.title:
      return domain.title
    case metadata.element: {
      if (namespace === undefined)
        throw new VirError('INVALID_ARG', 'The namespace of the metadata is missing')
      const element = metadataElement(domain, namespace)
      return element && writeXml(withoutPrefix(element))
    }
    default:
      throw new VirError('INVALID_ARG', `There is no metadata of type ${type}`)
  }
}

/** As libvirt gives it out: the element as it was given in, without the prefix that it got. */
function withoutPrefix(element: XmlElement): XmlElement {
  const [prefix, name] = element.name.split(':', 2)
  if (name === undefined) return element
  const isUsed = elementsOf(element).some((inner) => usesPrefix(inner, prefix as string))
  const attributes = element.attributes.filter((each) => isUsed || each.name !== `xmlns:${prefix}`)
  return { kind: 'element', name, attributes, children: element.children }
}

function usesPrefix(element: XmlElement, prefix: string): boolean {
  const names = [element.name, ...element.attributes.map(({ name }) => name)]
  return (
    names.some((name) => name.startsWith(`${prefix}:`)) ||
    elementsOf(element).some((inner) => usesPrefix(inner, prefix))
  )
}
