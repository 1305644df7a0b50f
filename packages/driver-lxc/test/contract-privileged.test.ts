import { describeDriver } from '@covirt/contract'
import { afterAll } from '@jest/globals'
import { canRunLxc, describeWhen } from '../../../test/fixtures/index.js'
import { privilegedFixture, removeRootfs } from './lxc-fixture.js'

afterAll(removeRootfs)

/** What depends on who the container's users are; the rest is the same. */
const lives = ['persistent life', 'pausing', 'shutting down', 'restarting', 'crashing', 'reopening'] as const
const roles = ['console', 'exec', 'processes', 'files', 'snapshots', 'addresses', 'statistics'] as const

describeWhen(canRunLxc(), 'real privileged containers', () =>
  describeDriver('the LXC driver', privilegedFixture, [...lives, ...roles]),
)
