import { writeFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { open } from 'covirt'
import {
  canRunLxc,
  canRunQemu,
  canRunVirsh,
  describeWhen,
  netnsBridge,
} from '../../../test/fixtures/index.js'
import { run, virsh } from './daemon-process.js'
import { type GuestPair, guestPair, startPair } from './guest-pair.js'

const command = fileURLToPath(new URL('../../covirt/bin/covirt.js', import.meta.url))

describeWhen(canRunLxc() ?? canRunQemu() ?? canRunVirsh(), 'a container and a virtual machine', () => {
  let pair: GuestPair
  let both: readonly string[]

  beforeEach(async () => {
    pair = await guestPair()
    await startPair(pair)
    both = [pair.container, pair.machine].sort()
  })
  afterEach(async () => pair[Symbol.asyncDispose]())

  const covirt = () => pair.daemon.uri('covirt')

  const names = (stdout: string) => stdout.split('\n').filter(Boolean).sort()
  const local = () => `covirt:///system?root=${pair.root.path}`

  test('are defined, started and listed side by side by virsh', async () => {
    const list = await virsh(covirt(), 'list', '--name')
    expect(names(list.stdout)).toEqual(both)
  })

  test('are changed by virsh while they run', async () => {
    await using bridge = await netnsBridge()
    const { container } = pair
    const [tun, mac] = [pair.root.join('files/tun.xml'), '52:54:00:5e:00:09']
    await writeFile(
      tun,
      "<hostdev mode='capabilities' type='misc'><source><char>/dev/net/tun</char></source></hostdev>",
    )
    const commands = [
      `attach-device ${container} ${tun}`,
      `attach-interface ${container} bridge ${bridge.name} --mac ${mac} --live --config`,
      `setmem ${container} 24M --live`,
      `schedinfo ${container} --set cpu_shares=200`,
      `memtune ${container} --soft-limit 16M --live --config`,
      `setvcpus ${container} 1`,
    ]
    expect(await virsh(covirt(), commands.join('; '))).toMatchObject({ code: 0, stderr: '' })
    await using connection = await open(local())
    const domain = await connection.domains.lookupByName(container)
    const { stdout } = await domain.exec([
      '/bin/sh',
      '-c',
      'cat /sys/class/net/eth0/address; ls /dev/net/tun; nproc',
    ])
    expect(await text(stdout)).toBe(`${mac}\n/dev/net/tun\n1\n`)
    expect(await domain.getSchedulerParameters()).toMatchObject({ shares: 200n })
    expect(await domain.getMemoryParameters({ config: true })).toMatchObject({ softLimitKib: 16_384n })
    const away = [`detach-device ${container} ${tun}`, `detach-interface ${container} bridge --live --config`]
    expect(await virsh(covirt(), away.join('; '))).toMatchObject({ code: 0, stderr: '' })
    expect(await domain.xml()).not.toMatch(/<interface|<hostdev/)
  })

  test('are seen by the drivers that they belong to', async () => {
    const [lxc, qemu] = await Promise.all(
      ['lxc', 'qemu'].map(async (scheme) => (await virsh(pair.daemon.uri(scheme), 'list', '--name')).stdout),
    )
    expect([names(lxc ?? ''), names(qemu ?? '')]).toEqual([[pair.container], [pair.machine]])
  })

  test('are found by the library and the command through the daemon that owns them', async () => {
    await using connection = await open(local())
    expect(connection.uri).toContain(`socket=${pair.daemon.socket}`)
    const domains = await connection.domains.list()
    expect(domains.map(({ name }) => name).sort()).toEqual(both)

    const { stdout } = await run(process.execPath, [command, '-c', local(), 'list', '--name'])
    expect(names(stdout)).toEqual(both)
  })

  test('live on when the daemon is killed, and are found again by the next', async () => {
    const ids = async () =>
      Promise.all(
        [pair.container, pair.machine].map(async (name) => (await virsh(covirt(), 'domid', name)).stdout),
      )
    const before = await ids()
    await pair.daemon.end('SIGKILL')

    await pair.startDaemon()

    await expect(ids()).resolves.toEqual(before)
    expect(before).toEqual([expect.stringMatching(/^\d+\n$/), expect.stringMatching(/^\d+\n$/)])
  })

  test('live on when the daemon ends, and then belong to whoever opens them', async () => {
    await expect(pair.daemon.end()).resolves.toBe(0)
    {
      await using connection = await open(local())
      expect(connection.type).toBe('COVIRT')
      expect(connection.uri).toBe(local())
      expect((await connection.domains.list({ active: true })).map(({ name }) => name).sort()).toEqual(both)
    }
    await pair.startDaemon()
  })

  test('go down cleanly when virsh asks them to', async () => {
    await using connection = await open(local())
    for (const name of both) {
      const domain = await connection.domains.lookupByName(name)
      const off = domain.waitFor('shutoff', { signal: AbortSignal.timeout(20_000) })
      await expect(virsh(covirt(), 'shutdown', name)).resolves.toMatchObject({ code: 0 })
      await expect(off).resolves.toMatchObject({ reason: 'shutdown' })
    }
  })
})
