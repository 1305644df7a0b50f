import { type Driver, parseConnectUri, requireRole, type VersionInfo } from '@covirt/core'
import { features } from '@covirt/protocol'
import type { Handlers } from '../handler.js'
import { checkFlags } from './flags.js'

/** VIR_CONNECT_RO. */
const readOnlyFlag = 1
/** The release of libvirt whose protocol this is, as its library counts: 9.0.0. */
const protocolVersion = 9_000_000n
/** What libvirt's drivers answer where nothing bounds it. */
const maxVcpus = 16_384

export const connectHandlers = {
  connectOpen: ({ session }, { name = '', flags }) => session.open(name, (flags & readOnlyFlag) !== 0),
  connectClose: ({ session }) => session.leave(),
  connectGetType: ({ driver }) => ({ type: driver.type }),
  connectGetVersion: async ({ driver, options }) => ({
    version: versionNumber(await driver.getVersion(options), driver),
  }),
  connectGetLibVersion: () => ({ version: protocolVersion }),
  connectGetMaxVcpus: async ({ driver, options }) => {
    const { cpus } = await driver.getNodeInfo(options)
    return { count: driver.type === 'LXC' ? cpus : maxVcpus }
  },
  connectGetCapabilities: async ({ driver, options }) => ({ xml: await driver.getCapabilities(options) }),
  connectGetDomainCapabilities: async ({ driver, options }, { flags, ...kind }) => {
    checkFlags(flags, 0, 'asking for what guests can have')
    // Some clients leave out what they do not say, some send it empty.
    const { emulator, arch, machine, virtType: type } = kind
    const said = Object.entries({ emulator, arch, machine, type }).filter(([, value]) => value)
    return { xml: await driver.getDomainCapabilities(Object.fromEntries(said), options) }
  },
  connectGetHostname: async ({ driver, options }) => ({ hostname: await driver.getHostname(options) }),
  connectGetUri: ({ driver }) => ({ uri: driver.uri }),
  connectIsSecure: ({ session }) => ({ secure: session.access.identity.transport !== 'tcp' }),
  connectSupportsFeature: ({ session }, { feature }) => {
    switch (feature) {
      case features.keepalive:
        session.startKeepalive()
        return { supported: true }
      case features.covirt:
        session.events.tellResync()
        return { supported: true }
      case features.descriptorPassing:
        return { supported: session.sendsDescriptors }
      default:
        return { supported: always.has(feature) }
    }
  },
  connectDomainXmlFromNative: async ({ driver, options }, { format, config, flags }) => {
    checkFlags(flags, 0, 'another form of definitions')
    return { xml: await requireRole(driver, 'nativeConfig').domainXmlFromNative(format, config, options) }
  },
  connectDomainXmlToNative: async ({ driver, options }, { format, xml, flags }) => {
    checkFlags(flags, 0, 'another form of definitions')
    return { config: await requireRole(driver, 'nativeConfig').domainXmlToNative(format, xml, options) }
  },
  // Nothing stands behind our connections that could be lost without them.
  connectRegisterCloseCallback: () => {},
  connectUnregisterCloseCallback: () => {},
} satisfies Handlers

const always: ReadonlySet<number> = new Set([
  features.typedParameterStrings,
  features.eventCallbackIds,
  features.closeCallback,
])

/** The version of what runs the guests, or else our own, as libvirt counts: 1,000,000 × major + 1,000 × minor + release. */
function versionNumber({ hypervisors, library }: VersionInfo, { uri }: Driver): bigint {
  const { scheme } = parseConnectUri(uri)
  const version = hypervisors[scheme] ?? Object.values(hypervisors)[0] ?? library
  const [, major = 0, minor = 0, release = 0] = /^(\d+)\.?(\d+)?\.?(\d+)?/.exec(version) ?? []
  return BigInt(Number(major) * 1_000_000 + Number(minor) * 1_000 + Number(release))
}
