import { describeDriver } from '@covirt/contract'
import { hostProvider } from '@covirt/driver-host'
import { lxcProvider } from '@covirt/driver-lxc'
import { hostDocuments } from '@covirt/xml'
import { afterAll } from '@jest/globals'
import { canRunLxc, describeWhen } from '../../../test/fixtures/index.js'
import { LxcWorld, lxcFixture, removeRootfs } from '../../driver-lxc/test/lxc-fixture.js'
import { overTheWire } from '../../driver-remote/test/wire-world.js'
import { asHost } from './host-worlds.js'

/** The rest is tested of the driver itself, and of the test driver behind a host connection, which has all roles. */
const chosen = ['persistent life', 'documents', 'reopening', 'console', 'exec', 'files', 'snapshots'] as const
const subjects = process.env.COVIRT_ALL_SUBJECTS ? undefined : chosen

describeWhen(canRunLxc(), 'real containers, through covirt:///system', () => {
  afterAll(removeRootfs)
  // The suite expects a role that these domains lack to be absent: no driver may be there that has it.
  const members = [{ provider: lxcProvider, domainTypes: ['lxc'] }]
  const providers = [hostProvider({ members, documents: hostDocuments })]
  const world = async () => {
    const own = await LxcWorld.make()
    return asHost(own, own.path, providers)
  }
  const fixture = overTheWire({ ...lxcFixture, type: 'COVIRT', world }, 'unix')
  describeDriver('the host driver of a server', fixture, subjects)
})
