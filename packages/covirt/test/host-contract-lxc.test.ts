import { describeDriver } from '@covirt/contract'
import { hostProvider } from '@covirt/driver-host'
import { lxcProvider } from '@covirt/driver-lxc'
import { hostDocuments } from '@covirt/xml'
import { afterAll } from '@jest/globals'
import { canRunLxc, describeWhen } from '../../../test/fixtures/index.js'
import { LxcWorld, lxcFixture, removeRootfs } from '../../driver-lxc/test/lxc-fixture.js'
import { asHost } from './host-worlds.js'

/** The rest is tested of the driver itself, and of the test driver behind a host connection, which has all roles. */
const chosen = ['persistent life', 'documents', 'reopening', 'console', 'exec', 'files', 'snapshots'] as const

describeWhen(canRunLxc(), 'real containers, through covirt:///system', () => {
  afterAll(removeRootfs)
  // The suite expects a role that these domains lack to be absent: no driver may be there that has it.
  const members = [{ provider: lxcProvider, domainTypes: ['lxc'] }]
  const providers = [hostProvider({ members, documents: hostDocuments })]
  const world = async () => {
    const own = await LxcWorld.make()
    return asHost(own, own.path, providers)
  }
  describeDriver('the host driver', { ...lxcFixture, type: 'COVIRT', world }, chosen)
})
