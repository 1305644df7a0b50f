import { describeDriver } from '@covirt/contract'
import { parseConnectUri } from '@covirt/core'
import { hostProvider } from '@covirt/driver-host'
import { qemuProvider } from '@covirt/driver-qemu'
import { hostDocuments } from '@covirt/xml'
import { canRunLinuxGuest, canRunQemu, describeWhen } from '../../../test/fixtures/index.js'
import { QemuWorld, qemuFixture } from '../../driver-qemu/test/qemu-world.js'
import { overTheWire } from '../../driver-remote/test/wire-world.js'
import { asHost } from './host-worlds.js'

/** The rest is tested of the driver itself, and of the test driver behind a host connection, which has all roles. */
const chosen = ['persistent life', 'reopening', 'console', 'guestAgent', 'savedState'] as const
const subjects = process.env.COVIRT_ALL_SUBJECTS ? undefined : chosen

describeWhen(canRunQemu(), 'real QEMU, through covirt:///system', () => {
  const noAgent = canRunLinuxGuest()
  // The suite expects a role that these domains lack to be absent: no driver may be there that has it.
  const members = [{ provider: qemuProvider, domainTypes: ['qemu', 'kvm'] }]
  const providers = [hostProvider({ members, documents: hostDocuments })]
  const world = async () => {
    const own = await QemuWorld.make('qemu', { agent: noAgent === undefined })
    return asHost(own, parseConnectUri(own.uri).query.root ?? '', providers)
  }
  const fixture = { ...qemuFixture('qemu', noAgent), type: 'COVIRT', world }
  describeDriver('the host driver of a server', overTheWire(fixture, 'unix'), subjects)
})
