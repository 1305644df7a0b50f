import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { explain, type Progress, readJournal } from '@covirt/lifecycle'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { type Connection, type Domain, type HostLifecycle, open, openLifecycle } from 'covirt'
import { canRunLibvirtd, privateLibvirtd, testWhen } from '../../../test/fixtures/index.js'
import { type DaemonProcess, run, startDaemon } from './daemon-process.js'

const covirt = fileURLToPath(new URL('../../covirt/bin/covirt.js', import.meta.url))

const definition = (name: string, lifecycle = '') =>
  `<domain type='test'><name>${name}</name><metadata><lifecycle xmlns='urn:covirt:lifecycle:1'>${lifecycle}</lifecycle>
  </metadata><memory>1024</memory><os><type>hvm</type></os></domain>`

/** A guest that runs at once and never proves to be ready. */
const neverReady = definition(
  'never',
  "<start><ready timeout='60s'><tcp host='127.0.0.1' port='1'/></ready></start>",
)

let daemon: DaemonProcess

const connect = (options: { readonly readOnly?: boolean } = {}): Promise<Connection> =>
  open(daemon.uri('test', { path: '/default', ...options }) as string)
const command = (...args: readonly string[]) =>
  run(process.execPath, [covirt, '-c', daemon.uri('test', { path: '/default' }), ...args])

/** Follows a plan until a domain is in a phase. */
function until(phase: Progress['phase']) {
  let seen = (_: Progress) => {}
  const reached = new Promise<Progress>((resolve) => {
    seen = resolve
  })
  return { reached, onProgress: (progress: Progress) => progress.phase === phase && seen(progress) }
}

describe('through the daemon that owns the guests', () => {
  let connection: Connection
  let lifecycle: HostLifecycle & AsyncDisposable
  let web: Domain

  beforeAll(async () => {
    daemon = await startDaemon()
  })

  beforeEach(async () => {
    connection = await connect()
    lifecycle = await openLifecycle(connection)
    for (const domain of await connection.domains.list({ active: true })) await domain.destroy()
    for (const domain of await connection.domains.list()) await domain.undefine()
    web = await connection.domains.define(definition('web'))
    await web.start()
  })

  afterEach(async () => {
    await lifecycle[Symbol.asyncDispose]()
    await connection.close()
  })

  afterAll(async () => {
    await daemon[Symbol.asyncDispose]()
  })

  test('the command takes guests down and up, a line for each, and tells who did it', async () => {
    expect((await command('plan', 'stop')).stdout).toContain('1 domain, down within')
    const down = await command('down')
    expect(down.stdout).toMatch(/^1 off in [0-9.]+ s\n$/)
    expect(down.stderr).toMatch(/^✓ web +off +[0-9.]+ s {2}clean\n$/)
    expect((await command('up', 'web')).stdout).toMatch(/^1 of 1 up in/)
    expect((await command('explain', 'web')).stdout).toMatch(
      /went off \(clean\).*, for a user\n.*is being started.*\n.*started.*\n.*ready.*, for a user\n$/,
    )
  })

  test('progress is told as it goes, before the result', async () => {
    const phases: string[] = []
    const report = await lifecycle.down(
      {},
      { onProgress: ({ name, phase }) => phases.push(`${name} ${phase}`) },
    )
    expect(phases).toEqual(['web stopping', 'web asked', 'web off'])
    expect(report.results).toMatchObject([{ name: 'web', outcome: 'clean' }])
  })

  test('its journal is the one that tells, also of domains that are gone', async () => {
    await lifecycle.down()
    await web.undefine()
    const entries = await lifecycle.journal({ domain: 'web', last: 1 })
    expect(explain(entries)).toEqual([expect.stringMatching(/went off \(clean\)/)])
    expect(await readJournal(join(daemon.root, 'lib/lifecycle'))).toEqual(await lifecycle.journal())
  })

  test('a reader may see plans and the journal, and run nothing', async () => {
    await using reading = await connect({ readOnly: true })
    await using readers = await openLifecycle(reading)
    expect((await readers.planStop()).steps).toMatchObject([{ name: 'web' }])
    expect(await readers.journal({ domain: web.uuid })).toEqual([])
    await expect(readers.down()).rejects.toMatchObject({ code: 'OPERATION_DENIED' })
    await expect(readers.up()).rejects.toMatchObject({ code: 'OPERATION_DENIED' })
  })

  test('requests that make no sense are refused', async () => {
    const nonsense = { only: 'test' } as unknown as { readonly only: readonly string[] }
    await expect(lifecycle.down(nonsense)).rejects.toMatchObject({ code: 'INVALID_ARG' })
    await expect(lifecycle.up({ limit: -1 })).rejects.toMatchObject({ code: 'INVALID_ARG' })
  })

  test('one plan runs at a time; who gives up interrupts it', async () => {
    const never = await connection.domains.define(neverReady)
    const giveUp = new AbortController()
    const probing = until('probing')
    const up = lifecycle.up({ only: [never.uuid] }, { signal: giveUp.signal, ...probing })
    await probing.reached
    await expect(lifecycle.down()).rejects.toMatchObject({
      code: 'RESOURCE_BUSY',
      message: expect.stringContaining('A start plan for'),
    })
    giveUp.abort()
    await expect(up).rejects.toMatchObject({ code: 'OPERATION_ABORTED' })
    expect((await lifecycle.down()).results).toHaveLength(2)
  })

  test('the end of the host goes before any other plan', async () => {
    const never = await connection.domains.define(neverReady)
    const probing = until('probing')
    const up = lifecycle.up({ only: [never.uuid] }, probing)
    up.catch(() => {})
    await probing.reached
    expect((await lifecycle.down({ host: true })).results).toHaveLength(2)
    await expect(up).rejects.toMatchObject({ code: 'OPERATION_ABORTED', message: /goes first/ })
  })

  test('while the host goes down nothing can be changed, but all can be seen', async () => {
    const hold = join(daemon.root, 'hold')
    await mkdir(join(daemon.root, 'etc/hooks'))
    await writeFile(hold, '')
    const held = `#!/bin/sh\ncat >/dev/null\nwhile [ -e '${hold}' ]; do sleep 0.02; done\n`
    await writeFile(join(daemon.root, 'etc/hooks/test'), held, { mode: 0o755 })
    const asked = until('asked')
    const down = lifecycle.down({ host: true }, asked)
    await asked.reached
    await expect(web.setAutostart(true)).rejects.toMatchObject({
      code: 'OPERATION_DENIED',
      message: expect.stringContaining('the host is going down'),
    })
    await expect(lifecycle.up()).rejects.toMatchObject({ code: 'OPERATION_DENIED' })
    expect(await connection.domains.list()).toHaveLength(1)
    await rm(hold)
    expect((await down).results).toMatchObject([{ outcome: 'clean' }])
    await web.setAutostart(true)
  })
})

testWhen(
  canRunLibvirtd(),
  'libvirt’s daemons have no plans of their own: they are made and run here',
  async () => {
    await using libvirtd = await privateLibvirtd()
    await using connection = await open(`test+unix:///default?socket=${libvirtd.socket}` as string)
    await using lifecycle = await openLifecycle(connection)
    expect((await lifecycle.down()).results).toMatchObject([{ name: 'test', outcome: 'clean' }])
    expect(await connection.domains.list({ active: true })).toEqual([])
  },
)
