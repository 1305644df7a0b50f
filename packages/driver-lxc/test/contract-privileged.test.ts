import { describeDriver } from '@covirt/contract'
import { afterAll } from '@jest/globals'
import { canRunLxc, describeWhen } from '../../../test/fixtures/index.js'
import { privilegedFixture, removeRootfs } from './lxc-fixture.js'

afterAll(removeRootfs)

describeWhen(canRunLxc(), 'real privileged containers', () =>
  describeDriver('the LXC driver', privilegedFixture),
)
