import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect } from '@jest/globals'
import { canRunLibvirtd, privateLibvirtd, testWhen } from './fixtures/index.js'

const run = promisify(execFile)

testWhen(
  canRunLibvirtd(),
  'a private libvirtd starts with no guests, and again after it was killed',
  async () => {
    await using daemon = await privateLibvirtd()
    const list = () =>
      run('virsh', ['-c', `qemu+unix:///system?socket=${daemon.socket}`, 'list', '--all', '--name'])
    await expect(list()).resolves.toMatchObject({ stdout: '\n' })
    await daemon.kill()
    await daemon.start()
    await expect(list()).resolves.toMatchObject({ stdout: '\n' })
  },
)
