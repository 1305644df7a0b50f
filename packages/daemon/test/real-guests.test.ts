import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { open } from 'covirt'
import { canRunLxc, canRunQemu, canRunVirsh, describeWhen } from '../../../test/fixtures/index.js'
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
