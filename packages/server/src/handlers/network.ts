import { VirError } from '@covirt/core'
import type { Handlers } from '../handler.js'

/** There are no virtual networks yet: lists are empty, and looking one up finds none. */
export const networkHandlers = {
  connectNumOfNetworks: () => ({ count: 0 }),
  connectListNetworks: () => ({ names: [] }),
  connectNumOfDefinedNetworks: () => ({ count: 0 }),
  connectListDefinedNetworks: () => ({ names: [] }),
  connectListAllNetworks: () => ({ networks: [], count: 0 }),
  networkLookupByName: (_call, { name }) => noNetwork(`name '${name}'`),
  networkLookupByUuid: (_call, { uuid }) => noNetwork(`uuid '${uuid}'`),
  connectNetworkEventRegisterAny: ({ session }) => ({ callbackId: session.events.addSilent() }),
  connectNetworkEventDeregisterAny: ({ session }, { callbackId }) => session.events.removeSilent(callbackId),
} satisfies Handlers

function noNetwork(what: string): never {
  throw new VirError('NO_NETWORK', `There is no network with ${what}`, { domain: 'NETWORK' })
}
