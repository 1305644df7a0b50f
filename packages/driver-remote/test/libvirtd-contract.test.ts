import { describeDriver } from '@covirt/contract'
import { afterAll, beforeAll } from '@jest/globals'
import {
  canRunLibvirtd,
  debianLibvirt,
  describeWhen,
  type PrivateLibvirtd,
  privateLibvirtd,
} from '../../../test/fixtures/index.js'
import { libvirtdFixture } from './libvirtd-world.js'

/** Its guests take half a second to start: the others are for `COVIRT_ALL_SUBJECTS=1`. */
const inShort = ['persistent life', 'information'] as const
const atLength = ['pausing', 'lookup', 'shutting down', 'restarting', 'roles'] as const

/** Another release of Debian, whose libvirtd is tested instead of this machine's. */
const suite = process.env.COVIRT_LIBVIRTD

describeWhen(canRunLibvirtd(), 'libvirt itself', () => {
  let daemon: PrivateLibvirtd
  beforeAll(async () => {
    daemon = await privateLibvirtd({ system: suite && (await debianLibvirt(suite)) })
  }, 600_000)
  afterAll(async () => daemon[Symbol.asyncDispose]())

  describeDriver(
    'the QEMU driver of libvirtd',
    libvirtdFixture(() => daemon),
    process.env.COVIRT_ALL_SUBJECTS ? [...inShort, ...atLength] : inShort,
  )
})
