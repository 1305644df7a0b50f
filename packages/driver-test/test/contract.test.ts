import { describeDriver } from '@covirt/contract'
import { testFixture } from './test-fixture.js'

describeDriver('the test driver', testFixture({ virtual: false }))
describeDriver('the test driver in virtual time', testFixture({ virtual: true }))
