import { describeDriver } from '@covirt/contract'
import { afterAll, beforeAll } from '@jest/globals'
import {
  canRunLibvirtd,
  describeWhen,
  type PrivateLibvirtd,
  privateLibvirtd,
} from '../../../test/fixtures/index.js'
import { libvirtdFixture } from './libvirtd-world.js'

describeWhen(canRunLibvirtd(), 'libvirt itself', () => {
  let daemon: PrivateLibvirtd
  beforeAll(async () => {
    daemon = await privateLibvirtd()
  })
  afterAll(async () => daemon[Symbol.asyncDispose]())

  describeDriver(
    'the QEMU driver of libvirtd',
    libvirtdFixture(() => daemon),
    ['persistent life', 'lookup', 'information', 'pausing', 'shutting down', 'restarting', 'crashing', 'roles'],
  )
})
