import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from '@jest/globals'
import { open } from 'covirt'
import { canRunQemu, needsRoot, tempRoot, testWhen } from './fixtures/index.js'

const repository = fileURLToPath(new URL('..', import.meta.url))

function machine(name: string, more = ''): string {
  return `<domain type='qemu'><name>${name}</name><uuid>7d1c0f2e-59f5-4f0e-9a53-0d8d6c1b0b01</uuid>
    <memory unit='MiB'>64</memory><os><type arch='x86_64' machine='pc'>hvm</type></os>${more}</domain>`
}

testWhen(
  needsRoot() ?? canRunQemu(),
  'a full disk refuses a definition, keeps the old one, and leaves no piece of the new one',
  async () => {
    await using root = await tempRoot()
    const disk = root.join('disk')
    await mkdir(disk)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'covirt-full', disk])
    {
      await using connection = await open(`qemu:///system?root=${disk}`)
      const domain = await connection.domains.define(machine('full', '<title>old</title>'))
      await expect(writeFile(join(disk, 'filler'), Buffer.alloc(1 << 20))).rejects.toMatchObject({
        code: 'ENOSPC',
      })
      const files = await readdir(join(disk, 'etc/qemu'))
      await expect(
        connection.domains.define(
          machine('full', `<title>new</title><description>${'x'.repeat(8192)}</description>`),
        ),
      ).rejects.toMatchObject({ code: 'SYSTEM_ERROR', hint: expect.stringContaining('Free some space') })
      expect(await domain.xml()).toContain('<title>old</title>')
      expect(await readdir(join(disk, 'etc/qemu'))).toEqual(files)
    }
    {
      await using connection = await open(`qemu:///system?root=${disk}`)
      const domain = await connection.domains.lookupByName('full')
      expect(await domain.xml()).toContain('<title>old</title>')
    }
  },
)

testWhen(canRunQemu(), 'a second process on a root is told which process owns it', async () => {
  await using root = await tempRoot()
  const uri = `qemu:///system?root=${root.path}`
  const program = `import { open } from 'covirt'
    await open(${JSON.stringify(uri)}); console.log('open'); setInterval(() => {}, 1000)`
  const owner = spawn(process.execPath, ['--input-type=module', '-e', program], {
    cwd: join(repository, 'test'),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    await once(owner.stdout, 'data')
    await expect(open(uri)).rejects.toMatchObject({
      code: 'RESOURCE_BUSY',
      message: expect.stringContaining(`process ${owner.pid}`),
      hint: expect.stringContaining('root='),
    })
  } finally {
    owner.kill('SIGKILL')
    await once(owner, 'exit')
  }
  await (await open(uri)).close()
})
