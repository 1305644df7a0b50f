import { describeDriver } from '@covirt/contract'
import { testFixture } from '../../driver-test/test/test-fixture.js'
import { overTheWire } from './wire-world.js'

describeDriver('the test driver through a unix socket', overTheWire(testFixture({ virtual: false }), 'unix'))
describeDriver('the test driver through TLS', overTheWire(testFixture({ virtual: false }), 'tls'))
