import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { Connection, type DomainRef, type Driver, parseConnectUri } from '@covirt/core'
import { remoteProvider } from '@covirt/driver-remote'
import { type PrivateLibvirtd, privateLibvirtd } from '../test/fixtures/private-libvirtd.js'
import { canRunLibvirtd } from '../test/fixtures/requirements.js'
import { tempRoot } from '../test/fixtures/temp-root.js'
import type { Benchmark, Figures } from './benchmark.js'
import { childServer } from './child-server.js'
import { median, pair, timed } from './measure.js'

const run = promisify(execFile)

const calls = 10_000

/** What libvirt's own library does with the same daemon: one call after the other, as it has no other way. */
const python = `
import libvirt, sys, time
connection = libvirt.open(sys.argv[1])
domain = connection.lookupByName('test')
for _ in range(200): domain.state()
start = time.perf_counter()
for _ in range(${calls}): domain.state()
print((time.perf_counter() - start) * 1000)
`

/** Many small questions at a time, as a GUI with many domains asks them. */
export const remotePipelined: Benchmark = {
  name: 'remote-calls',
  about: `${calls} calls to libvirtd, all under way at once, against python3-libvirt's one by one`,
  goal: { ms: calls / 20 },
  requires: canRunLibvirtd,
  run: () => measure(askAtOnce),
}

/** One question after the other. */
export const remoteSerial: Benchmark = {
  name: 'remote-serial',
  about: `${calls} calls to libvirtd, one after the other, against python3-libvirt's`,
  goal: undefined,
  requires: canRunLibvirtd,
  run: () =>
    measure(async (driver, domain) => {
      for (let call = 0; call < calls; call++) await driver.getDomainState(domain)
    }),
}

/** The client by itself: its peer answers at once. */
export const remoteClient: Benchmark = {
  name: 'remote-client',
  about: `${calls} calls, all under way at once, to a peer whose answers are ready: processor time of the client`,
  goal: { ms: calls / 20 },
  requires: () => undefined,
  run: async () => {
    await using directory = await tempRoot()
    const socket = directory.join('sock')
    await using _ = await childServer('canned-server.ts', socket)
    const uri = parseConnectUri(`test+unix:///default?socket=${socket}`)
    await using connection = new Connection(await remoteProvider.open(uri))
    const { ref } = await connection.domains.lookupByName('test')
    const times: number[] = []
    for (let round = 0; round < 15; round++)
      times.push(await cpuTimeOf(() => askAtOnce(connection.driver, ref)))
    // The first ones warm it up.
    return { ms: median(times.slice(5)) }
  },
}

/** How much processor time this process takes for `act`, in milliseconds, all its threads together. */
async function cpuTimeOf(act: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage()
  await act()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

async function askAtOnce(driver: Driver, domain: DomainRef): Promise<void> {
  await Promise.all(Array.from({ length: calls }, () => driver.getDomainState(domain)))
}

async function measure(ask: (driver: Driver, domain: DomainRef) => Promise<void>): Promise<Figures> {
  await using daemon: PrivateLibvirtd = await privateLibvirtd({ settings: ['max_client_requests = 1000'] })
  const uri = `test+unix:///default?socket=${daemon.socket}`
  await using connection = new Connection(await remoteProvider.open(parseConnectUri(uri)))
  const { ref } = await connection.domains.lookupByName('test')
  const { oursMs, peerMs, ratio } = await pair(
    5,
    () => timed(() => ask(connection.driver, ref)),
    async () => Number((await run('/usr/bin/python3', ['-c', python, uri])).stdout),
  )
  return { ms: oursMs, peerMs, ratio }
}
