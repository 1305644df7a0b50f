import { type DriverFixture, describeDriver } from '@covirt/contract'
import { canRunKvm, canRunLinuxGuest, canRunQemu, describeWhen } from '../../../test/fixtures/index.js'
import { QemuWorld, qemuRoles } from './qemu-world.js'

describeWhen(canRunQemu(), 'real QEMU, emulated', () => {
  describeDriver('the QEMU driver', fixture('qemu', canRunLinuxGuest()))
})

describeWhen(canRunKvm(), 'real QEMU, on KVM', () => {
  describeDriver('the QEMU driver', fixture('kvm', 'the agent is the same, emulated or not'))
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
