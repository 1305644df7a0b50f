import { describeDriver } from '@covirt/contract'
import { testFixture } from '../../driver-test/test/test-fixture.js'
import { asMember } from './host-worlds.js'

const simulated = testFixture({ virtual: true })
describeDriver('the test driver through a host connection', {
  ...simulated,
  type: 'COVIRT',
  world: async () => asMember(await simulated.world()),
})
