import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { type JournalEntry, lifecycleDefaults, type Progress, readJournal } from '@covirt/lifecycle'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { type Connection, open, openLifecycle } from 'covirt'
import {
  busyboxRootfs,
  canRunLxc,
  canRunQemu,
  describeWhen,
  firmwareGuest,
  type TempRoot,
  tempRoot,
  uniqueName,
} from '../../../test/fixtures/index.js'
import type { LifecycleConfig } from '../src/config/config-schema.js'
import { configSchema } from '../src/config/config-schema.js'
import { defaultsOf } from '../src/lifecycle/lifecycle-defaults.js'
import { startDaemon } from './daemon-process.js'

const metadata = (inside: string) =>
  `<metadata><lifecycle xmlns='urn:covirt:lifecycle:1'>${inside}</lifecycle></metadata>`

describeWhen(
  canRunLxc() ?? canRunQemu(),
  'two containers and a virtual machine at boot and at power-off',
  () => {
    const names = { db: uniqueName('db'), web: uniqueName('web'), vm: uniqueName('vm') }
    let root: TempRoot
    const local = (): Promise<Connection> => open(`covirt:///system?root=${root.path}` as string)

    beforeEach(async () => {
      root = await tempRoot()
      const rootfs = await busyboxRootfs(root.join('rootfs'))
      const container = (name: string, lifecycle: string) => `<domain type='lxc'><name>${name}</name>
      ${metadata(lifecycle)}<memory unit='MiB'>32</memory><os><type>exe</type><init>/sbin/ctinit</init></os>
      <devices><filesystem type='mount'><source dir='${rootfs}'/><target dir='/'/></filesystem></devices></domain>`
      await using connection = await local()
      const documents = [
        container(names.db, "<start delay='1s'><ready timeout='20s'><init/></ready></start>"),
        container(
          names.web,
          `<start><after domain='${names.db}'/><ready><exec><arg>true</arg></exec></ready></start>`,
        ),
        `<domain type='qemu'><name>${names.vm}</name>${metadata(`<start><after domain='${names.web}'/></start>`)}
        <memory unit='MiB'>32</memory><os><type arch='x86_64' machine='pc'>hvm</type>
        <loader type='rom'>${await firmwareGuest()}</loader></os><features><acpi/></features>
        <devices><console type='pty'/></devices></domain>`,
      ]
      for (const xml of documents) await (await connection.domains.define(xml)).setAutostart(true)
    })

    afterEach(async () => {
      {
        await using connection = await local()
        for (const domain of await connection.domains.list({ active: true })) await domain.destroy()
      }
      await root[Symbol.asyncDispose]()
    })

    const start = (environment: NodeJS.ProcessEnv = {}) =>
      startDaemon({ root: root.path, drivers: ['lxc', 'qemu'], environment })

    /** A systemd that says that the host is going down. */
    async function goingDown(): Promise<NodeJS.ProcessEnv> {
      await mkdir(root.join('bin'))
      await writeFile(root.join('bin/systemctl'), '#!/bin/sh\necho stopping\nexit 1\n')
      await chmod(root.join('bin/systemctl'), 0o755)
      return { PATH: `${root.join('bin')}:${process.env.PATH}` }
    }

    const journal = () => readJournal(root.join('lib/lifecycle'))
    const nameOf = ({ name }: JournalEntry) => Object.entries(names).find(([, full]) => full === name)?.[0]
    const active = async (): Promise<readonly (readonly [string, number | undefined])[]> => {
      await using connection = await local()
      const stats = await connection.domains.stats({ active: true })
      return stats.map(({ domain }) => [domain.name, domain.id] as const).sort()
    }

    test('come up in their order, live through the daemon’s restart, and go down in reverse with the host', async () => {
      {
        await using daemon = await start()
        await expect(daemon.logged('the start plan of this boot has run')).resolves.toMatchObject({
          up: 3,
          of: 3,
        })
        await expect(daemon.end()).resolves.toBe(0)
      }
      const before = await active()
      expect(before).toHaveLength(3)
      await using daemon = await start(await goingDown())
      expect(await active()).toEqual(before)
      await expect(daemon.end()).resolves.toBe(0)
      expect(await active()).toEqual([])
      const entries = await journal()
      expect(entries.filter(({ event }) => event === 'ready').map(nameOf)).toEqual(['db', 'web', 'vm'])
      expect(entries.filter(({ event }) => event === 'starting')).toHaveLength(3)
      const stops = entries.filter(({ event }) => event === 'stopped')
      expect(stops.map((entry) => [nameOf(entry), entry.how, entry.actor])).toEqual([
        ['vm', 'clean', 'power-off'],
        ['web', 'clean', 'power-off'],
        ['db', 'clean', 'power-off'],
      ])
    })

    test('are each started once where the daemon is killed halfway, and go down through another one where it is killed again', async () => {
      {
        await using daemon = await start()
        for (;;) {
          const entries = await journal()
          if (entries.some(({ event }) => event === 'started')) break
          await new Promise((resolve) => setImmediate(resolve))
        }
        await daemon.end('SIGKILL')
      }
      {
        await using daemon = await start()
        await expect(daemon.logged('the start plan of this boot has run')).resolves.toMatchObject({
          up: 3,
          of: 3,
        })
        await using connection = await local()
        await using lifecycle = await openLifecycle(connection)
        const off: string[] = []
        const onProgress = ({ name, phase }: Progress) => {
          if (phase === 'off' && off.push(name) === 1) process.kill(daemon.pid, 'SIGKILL')
        }
        await expect(lifecycle.down({ host: true }, { onProgress })).rejects.toThrow()
        expect(off[0]).toBe(names.vm)
      }
      await using _daemon = await start()
      await using connection = await local()
      await using lifecycle = await openLifecycle(connection)
      const report = await lifecycle.down({ host: true })
      expect(report.results.at(-1)?.name).toBe(names.db)
      expect(report.results.map(({ outcome }) => outcome)).toEqual(report.results.map(() => 'clean'))
      expect(await active()).toEqual([])
      const entries = await lifecycle.journal()
      expect(entries.filter(({ event }) => event === 'started').map(nameOf)).toEqual(['db', 'web', 'vm'])
      const asked = entries.filter(({ event, actor }) => event === 'stopping' && actor === 'power-off')
      expect([...new Set(asked.map(nameOf))]).toEqual(['vm', 'web', 'db'])
      // What the one that was killed had seen going off it may not have noted any more.
      const off = [...new Set(entries.filter(({ event }) => event === 'stopped').map(nameOf))]
      expect(off).toEqual(['vm', 'web', 'db'].filter((name) => off.includes(name)))
      expect(off.at(-1)).toBe('db')
    })
  },
)

test('a configuration that says nothing changes no default', () => {
  const empty: LifecycleConfig = configSchema.parse({}).lifecycle
  expect(defaultsOf(empty)).toEqual(lifecycleDefaults)
})

test('seconds of the configuration are milliseconds of plans', () => {
  const { lifecycle } = configSchema.parse({ lifecycle: { deadline: 60, delay: 0.5, shutdownBudget: 20 } })
  expect(defaultsOf(lifecycle)).toMatchObject({
    deadlineMs: 60_000,
    delayMs: 500,
    ladder: [{ by: 'request', budgetMs: 20_000 }, { by: 'destroy' }],
  })
})
