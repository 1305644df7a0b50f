import { VirError } from '@covirt/core'
import type { Handlers } from '../handler.js'

/** There are no storage pools yet: lists are empty, and looking one up finds none. */
export const storageHandlers = {
  connectNumOfStoragePools: () => ({ count: 0 }),
  connectListStoragePools: () => ({ names: [] }),
  connectNumOfDefinedStoragePools: () => ({ count: 0 }),
  connectListDefinedStoragePools: () => ({ names: [] }),
  connectListAllStoragePools: () => ({ pools: [], count: 0 }),
  storagePoolLookupByName: (_call, { name }) => noPool(`name '${name}'`),
  storagePoolLookupByUuid: (_call, { uuid }) => noPool(`uuid '${uuid}'`),
  storagePoolLookupByTargetPath: (_call, { path }) => noPool(`target '${path}'`),
  storageVolLookupByKey: (_call, { key }) => noVolume(`key '${key}'`),
  storageVolLookupByPath: (_call, { path }) => noVolume(`path '${path}'`),
  connectStoragePoolEventRegisterAny: ({ session }) => ({ callbackId: session.events.addSilent() }),
  connectStoragePoolEventDeregisterAny: ({ session }, { callbackId }) =>
    session.events.removeSilent(callbackId),
} satisfies Handlers

function noPool(what: string): never {
  throw new VirError('NO_STORAGE_POOL', `There is no storage pool with ${what}`, { domain: 'STORAGE' })
}

function noVolume(what: string): never {
  throw new VirError('NO_STORAGE_VOL', `There is no storage volume with ${what}`, { domain: 'STORAGE' })
}
