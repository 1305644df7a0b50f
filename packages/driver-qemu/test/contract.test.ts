import { describeDriver } from '@covirt/contract'
import { canRunKvm, canRunLinuxGuest, canRunQemu, describeWhen } from '../../../test/fixtures/index.js'
import { qemuFixture } from './qemu-world.js'

describeWhen(canRunQemu(), 'real QEMU, emulated', () => {
  describeDriver('the QEMU driver', qemuFixture('qemu', canRunLinuxGuest()))
})

/** What the processor has a part in; the rest is the same, and is for `COVIRT_ALL_SUBJECTS=1`. */
const onKvm = [
  'pausing',
  'shutting down',
  'restarting',
  'crashing',
  'reopening',
  'reset',
  'savedState',
  'nmi',
] as const
const subjects = process.env.COVIRT_ALL_SUBJECTS ? undefined : onKvm

describeWhen(canRunKvm(), 'real QEMU, on KVM', () => {
  const kvm = qemuFixture('kvm', 'the agent is the same, emulated or not')
  describeDriver('the QEMU driver', kvm, subjects)
})
