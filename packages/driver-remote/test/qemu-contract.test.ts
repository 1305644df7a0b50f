import { describeDriver, type SubjectName } from '@covirt/contract'
import { canRunLinuxGuest, canRunQemu, describeWhen } from '../../../test/fixtures/index.js'
import { qemuFixture } from '../../driver-qemu/test/qemu-world.js'
import { overTheWire } from './wire-world.js'

/** The test driver takes all of them on both transports, and real machines through `covirt:///system`. */
const inShort: readonly SubjectName[] = ['information', 'events']
const subjects = process.env.COVIRT_ALL_SUBJECTS ? undefined : inShort

describeWhen(canRunQemu(), 'real QEMU, emulated', () => {
  const fixture = overTheWire(qemuFixture('qemu', canRunLinuxGuest()), 'tls')
  describeDriver('the QEMU driver through TLS', fixture, subjects)
})
