import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Driver, VirError } from '@covirt/core'
import { hostConditions, runBoot, SystemProbeIo, systemConditions } from '@covirt/lifecycle'
import { describe, expect, test } from '@jest/globals'
import { uuidOf } from './make-domains.js'
import { define, drive, runnerParts, testWorld } from './world.js'

const domain = { uuid: uuidOf('db'), name: 'db' }
const none = {} as Driver

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

describe('probes of real guests', () => {
  test('a port accepts or refuses', async () => {
    const server = createServer((socket) => socket.destroy())
    const port = await listening(server)
    const io = new SystemProbeIo(none, '')
    await io.connect('127.0.0.1', port, {})
    server.close()
    await once(server, 'close')
    await expect(io.connect('127.0.0.1', port, {})).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  test('an HTTP server tells its status', async () => {
    const server = createHttpServer((_request, response) => response.writeHead(503).end('busy'))
    const port = await listening(server)
    expect(await new SystemProbeIo(none, '').httpStatus(`http://127.0.0.1:${port}/`, {})).toBe(503)
    server.close()
  })

  test('a guest says itself that it is ready', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'cv-notify-'))
    const heard = new SystemProbeIo(none, directory).notified(domain, {})
    const path = join(directory, `${domain.uuid}.notify`)
    for (let said = false; !said; ) {
      const socket = connect(path)
      said = await once(socket, 'connect').then(
        () => true,
        () => false,
      )
      socket.on('error', () => {})
      socket.end('STATUS=up\nREADY=1\n')
    }
    await heard
    await rm(directory, { recursive: true })
  })

  test('a guest that has said so cannot keep the line open', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'cv-notify-'))
    const heard = new SystemProbeIo(none, directory).notified(domain, {})
    const path = join(directory, `${domain.uuid}.notify`)
    let socket = connect(path)
    while (!(await once(socket, 'connect').then(Boolean, () => false))) socket = connect(path)
    const closed = once(socket, 'close')
    socket.on('error', () => {})
    socket.resume().write('READY=1\n')
    await heard
    await closed
    await rm(directory, { recursive: true })
  })

  test('waiting for a guest’s word can be given up', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'cv-notify-'))
    const abort = new AbortController()
    const heard = new SystemProbeIo(none, directory).notified(domain, { signal: abort.signal })
    abort.abort(new Error('enough'))
    await expect(heard).rejects.toThrow('enough')
    await rm(directory, { recursive: true })
  })

  test.each([
    ['sleeps through it', 'echo up; exec sleep 60 < /dev/null', false],
    ['catches it', 'trap : TERM; echo up; read line', true],
  ])('an init that %s is told as such', async (_what, script, listens) => {
    const init = spawn('/bin/sh', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] })
    const ended = once(init, 'close')
    await once(init.stdout, 'data')
    const processes = { listProcesses: async () => [{ pid: init.pid, innerPid: 1 }] }
    const io = new SystemProbeIo({ processes } as unknown as Driver, '')
    expect(await io.initListens(domain, {})).toBe(listens)
    init.kill('SIGKILL')
    await ended
  })

  test('an address is one that the guest can be reached by', async () => {
    const addresses = ['127.0.0.1', 'fe80::1', '10.1.2.3'].map((address) => ({ address }))
    const driver = { addresses: { listInterfaceAddresses: async () => [{ addresses }] } } as unknown as Driver
    expect(await new SystemProbeIo(driver, '').addresses(domain, {})).toEqual(['10.1.2.3'])
  })

  test('what the driver cannot tell is refused as such', async () => {
    await expect(new SystemProbeIo(none, '').addresses(domain, {})).rejects.toBeInstanceOf(VirError)
  })
})

describe('what this host has', () => {
  test('mounts', async () => {
    expect(await systemConditions.mount('/proc', {})).toBe(true)
    expect(await systemConditions.mount('/proc/nothing', {})).toBe(false)
  })

  test('interfaces that are up, and have their carrier', async () => {
    expect(await systemConditions.network('lo', {})).toBe(true)
    await expect(systemConditions.network('../x', {})).rejects.toMatchObject({ code: 'INVALID_ARG' })
  })

  test('pools that are directories', async () => {
    expect(await systemConditions.pool('/tmp', {})).toBe(true)
    expect(await systemConditions.pool('/tmp/cv-none', {})).toBe(false)
  })

  test('networks and pools that libvirt has under a name', async () => {
    const run = await mkdtemp(join(tmpdir(), 'cv-libvirt-'))
    const { network, pool } = hostConditions(run)
    await expect(network('cv-default', {})).rejects.toMatchObject({ code: 'NO_SUPPORT' })
    await expect(pool('default', {})).rejects.toMatchObject({ code: 'NO_SUPPORT' })
    for (const kind of ['network', 'storage']) await mkdir(join(run, kind))
    expect([await network('cv-default', {}), await pool('default', {})]).toEqual([false, false])
    await writeFile(join(run, 'network/cv-default.xml'), '')
    await writeFile(join(run, 'storage/default.xml'), '')
    expect([await network('cv-default', {}), await pool('default', {})]).toEqual([true, true])
    await rm(run, { recursive: true })
  })

  test('a wrong name is not waited for', async () => {
    await using world = await testWorld()
    await define(world.driver, { db: "<start><requires network='a/b' timeout='1h'/></start>" })
    const { results, tookMs } = await drive(
      world.clock,
      runBoot(runnerParts(world, { conditions: systemConditions })),
    ).then((report) => report ?? Promise.reject(new Error('nothing ran')))
    expect([results[0]?.reason, tookMs]).toEqual(["'a/b' is not the name of a network", 0])
  })
})
