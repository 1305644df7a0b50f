import { type DriverFixture, describeDriver } from '@covirt/contract'
import { canRunKvm, canRunLinuxGuest, canRunQemu, describeWhen } from '../../../test/fixtures/index.js'
import { QemuWorld, qemuRoles } from './qemu-world.js'

describeWhen(canRunQemu(), 'real QEMU, emulated', () => {
  describeDriver('the QEMU driver', fixture('qemu', canRunLinuxGuest()))
})

/** What the processor has a part in; the rest is the same. */
const onKvm = ['transient life', 'pausing', 'shutting down', 'restarting', 'crashing', 'reopening'] as const
const rolesOnKvm = ['reset', 'savedState', 'nmi'] as const

describeWhen(canRunKvm(), 'real QEMU, on KVM', () => {
  const kvm = fixture('kvm', 'the agent is the same, emulated or not')
  describeDriver('the QEMU driver', kvm, [...onKvm, ...rolesOnKvm])
})

function fixture(type: 'qemu' | 'kvm', noAgent: string | undefined): DriverFixture {
  return {
    type: 'QEMU',
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
    world: () => QemuWorld.make(type, { agent: noAgent === undefined }),
  }
}
