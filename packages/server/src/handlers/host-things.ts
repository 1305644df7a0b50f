import { VirError } from '@covirt/core'
import type { Handlers } from '../handler.js'

/**
 * Interfaces and devices of the host, rule sets for its traffic, secrets: none are known here yet, so lists are
 * empty, and looking one up finds none.
 */
export const hostThingsHandlers = {
  connectNumOfInterfaces: () => ({ count: 0 }),
  connectListInterfaces: () => ({ names: [] }),
  connectNumOfDefinedInterfaces: () => ({ count: 0 }),
  connectListDefinedInterfaces: () => ({ names: [] }),
  connectListAllInterfaces: () => ({ interfaces: [], count: 0 }),
  interfaceLookupByName: (_call, { name }) => {
    throw new VirError('NO_INTERFACE', `There is no interface named '${name}'`, { domain: 'INTERFACE' })
  },
  interfaceLookupByMacString: (_call, { mac }) => {
    throw new VirError('NO_INTERFACE', `There is no interface with MAC address '${mac}'`, {
      domain: 'INTERFACE',
    })
  },

  nodeNumOfDevices: () => ({ count: 0 }),
  nodeListDevices: () => ({ names: [] }),
  connectListAllNodeDevices: () => ({ devices: [], count: 0 }),
  nodeDeviceLookupByName: (_call, { name }) => {
    throw new VirError('NO_NODE_DEVICE', `There is no device named '${name}'`, { domain: 'NODEDEV' })
  },
  connectNodeDeviceEventRegisterAny: ({ session }) => ({ callbackId: session.events.addSilent() }),
  connectNodeDeviceEventDeregisterAny: ({ session }, { callbackId }) =>
    session.events.removeSilent(callbackId),

  connectNumOfNwfilters: () => ({ count: 0 }),
  connectListNwfilters: () => ({ names: [] }),
  connectListAllNwfilters: () => ({ filters: [], count: 0 }),
  connectListAllNwfilterBindings: () => ({ bindings: [], count: 0 }),
  nwfilterLookupByName: (_call, { name }) => {
    throw new VirError('NO_NWFILTER', `There is no network filter named '${name}'`, { domain: 'NWFILTER' })
  },
  nwfilterLookupByUuid: (_call, { uuid }) => {
    throw new VirError('NO_NWFILTER', `There is no network filter with uuid '${uuid}'`, {
      domain: 'NWFILTER',
    })
  },

  connectNumOfSecrets: () => ({ count: 0 }),
  connectListSecrets: () => ({ uuids: [] }),
  connectListAllSecrets: () => ({ secrets: [], count: 0 }),
  secretLookupByUuid: (_call, { uuid }) => {
    throw new VirError('NO_SECRET', `There is no secret with uuid '${uuid}'`, { domain: 'SECRET' })
  },
  secretLookupByUsage: (_call, { usageId }) => {
    throw new VirError('NO_SECRET', `There is no secret used for '${usageId}'`, { domain: 'SECRET' })
  },
  connectSecretEventRegisterAny: ({ session }) => ({ callbackId: session.events.addSilent() }),
  connectSecretEventDeregisterAny: ({ session }, { callbackId }) => session.events.removeSilent(callbackId),
} satisfies Handlers
