import { describeDriver, type SubjectName } from '@covirt/contract'
import { afterAll } from '@jest/globals'
import { canRunLxc, describeWhen } from '../../../test/fixtures/index.js'
import { lxcFixture, removeRootfs } from '../../driver-lxc/test/lxc-fixture.js'
import { overTheWire } from './wire-world.js'

/** The test driver takes all of them on both transports, and real containers through `covirt:///system`. */
const inShort: readonly SubjectName[] = ['information', 'events', 'closing']
const subjects = process.env.COVIRT_ALL_SUBJECTS ? undefined : inShort

describeWhen(canRunLxc(), 'real containers', () => {
  afterAll(removeRootfs)
  describeDriver('the LXC driver through TLS', overTheWire(lxcFixture, 'tls'), subjects)
})
