import { type DriverFixture, describeDriver } from '@covirt/contract'
import { parseConnectUri } from '@covirt/core'
import { hostProvider } from '@covirt/driver-host'
import { qemuProvider } from '@covirt/driver-qemu'
import { hostDocuments } from '@covirt/xml'
import { canRunLinuxGuest, canRunQemu, describeWhen } from '../../../test/fixtures/index.js'
import { QemuWorld, qemuRoles } from '../../driver-qemu/test/qemu-world.js'
import { asHost } from './host-worlds.js'

/** The rest is tested of the driver itself, and of the test driver behind a host connection, which has all roles. */
const chosen = ['persistent life', 'documents', 'reopening', 'console', 'guestAgent', 'savedState'] as const

describeWhen(canRunQemu(), 'real QEMU, through covirt:///system', () => {
  const noAgent = canRunLinuxGuest()
  // The suite expects a role that these domains lack to be absent: no driver may be there that has it.
  const members = [{ provider: qemuProvider, domainTypes: ['qemu', 'kvm'] }]
  const providers = [hostProvider({ members, documents: hostDocuments })]
  const fixture: DriverFixture = {
    type: 'COVIRT',
    roles: qemuRoles,
    addressSources: ['agent'],
    shutdownModes: ['acpi', 'agent'],
    leftOut: {
      advance: 'time is real here',
      spareDevice: 'machines keep their devices while they run',
      tuning: 'machines keep what they have while they run',
      consoleHistory: 'a console is logged where the definition asks for that',
      ...(noAgent !== undefined && { agent: noAgent }),
    },
    world: async () => {
      const world = await QemuWorld.make('qemu', { agent: noAgent === undefined })
      return asHost(world, parseConnectUri(world.uri).query.root ?? '', providers)
    },
  }
  describeDriver('the host driver', fixture, chosen)
})
