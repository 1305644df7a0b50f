import { chmod, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import {
  canRunLxc,
  canRunQemu,
  canRunVirsh,
  describeWhen,
  needsRoot,
  type TempRoot,
  tempRoot,
} from '../../../test/fixtures/index.js'
import { type DaemonProcess, run, startDaemon, virsh } from './daemon-process.js'

/** Of a user that no system has: the kernel needs no name to run a program as one. */
const uid = 64_006

const config = `show_all_as = ["qemu"]

[sockets]
mode = "0666"

[[access.rules]]
users = ["${uid}"]
role = "admin"
domains = ["web-*"]
`
/** What is in their definitions; none of them is ever started. */
const kinds = {
  lxc: '<os><type>exe</type><init>/sbin/init</init></os><devices><filesystem type="mount"><source dir="/"/><target dir="/"/></filesystem></devices>',
  qemu: "<os><type arch='x86_64' machine='pc'>hvm</type></os><devices><graphics type='vnc' passwd='hush'/></devices>",
}
const names = ['db-lxc', 'db-qemu', 'web-lxc', 'web-qemu']

describeWhen(
  needsRoot() ?? canRunLxc() ?? canRunQemu() ?? canRunVirsh(),
  'where qemu:///system has the guests of all drivers',
  () => {
    let root: TempRoot
    let daemon: DaemonProcess
    let uri: string

    beforeAll(async () => {
      root = await tempRoot()
      daemon = await startDaemon({ drivers: ['lxc', 'qemu'], config })
      uri = daemon.uri('qemu')
      for (const [kind, rest] of Object.entries(kinds)) {
        for (const name of [`db-${kind}`, `web-${kind}`]) {
          const xml = `<domain type='${kind}'><name>${name}</name><memory unit='MiB'>16</memory>${rest}</domain>`
          await writeFile(root.join(name), xml)
        }
      }
      const { stderr } = await virsh(uri, names.map((name) => `define ${root.join(name)}`).join('; '))
      expect(stderr).toBe('')
    })
    afterAll(async () => {
      await daemon[Symbol.asyncDispose]()
      await root[Symbol.asyncDispose]()
    })

    const listed = ({ stdout }: { readonly stdout: string }) => stdout.trim().split('\n').sort()

    test('an administrator has both kinds there, and one kind by the other scheme', async () => {
      expect(listed(await virsh(uri, 'list', '--all', '--name'))).toEqual(names)
      const containers = names.filter((name) => name.endsWith('lxc'))
      expect(listed(await virsh(daemon.uri('lxc'), 'list', '--all', '--name'))).toEqual(containers)
    })

    test('who may reach some domains alone reaches these of both kinds, and no others', async () => {
      const as = (...args: string[]) => run('virsh', ['-q', '-c', uri, ...args], { uid })
      await chmod(root.path, 0o755)
      expect(listed(await as('list', '--all', '--name'))).toEqual(['web-lxc', 'web-qemu'])
      const stats = await as('domstats', '--raw', '--state')
      expect(stats.stdout.match(/(?<=Domain: ').*(?=')/g)?.sort()).toEqual(['web-lxc', 'web-qemu'])
      for (const kind of Object.keys(kinds)) {
        await expect(as('dominfo', `web-${kind}`)).resolves.toMatchObject({ code: 0 })
        await expect(as('undefine', `db-${kind}`)).resolves.toMatchObject({
          stderr: expect.stringContaining(`failed to get domain 'db-${kind}'`),
        })
        await expect(as('domrename', `web-${kind}`, `db-new-${kind}`)).resolves.toMatchObject({
          stderr: expect.stringContaining('may have no domain'),
        })
      }
    })

    test('who is connected for reading changes nothing of either, and sees no secrets', async () => {
      const reading = daemon.uri('qemu', { readOnly: true })
      expect(listed(await virsh(reading, 'list', '--all', '--name'))).toEqual(names)
      for (const name of names) {
        await expect(virsh(reading, 'undefine', name)).resolves.toMatchObject({
          code: 1,
          stderr: expect.stringMatching(/read.only/),
        })
      }
      const { stdout } = await virsh(reading, 'dumpxml', 'web-qemu')
      expect(stdout).toContain('<graphics')
      expect(stdout).not.toContain('hush')
      await expect(virsh(reading, 'dumpxml', '--security-info', 'web-qemu')).resolves.toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/read.only/),
      })
    })
  },
)
