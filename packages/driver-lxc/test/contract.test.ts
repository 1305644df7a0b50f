import { describeDriver } from '@covirt/contract'
import { canRunLxc, describeWhen } from '../../../test/fixtures/index.js'
import { lxcFixture } from './lxc-fixture.js'

describeWhen(canRunLxc(), 'real containers', () => describeDriver('the LXC driver', lxcFixture))
