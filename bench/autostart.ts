import { execFile } from 'node:child_process'
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { performance } from 'node:perf_hooks'
import { promisify } from 'node:util'
import { type Driver, FakeClock, parseConnectUri, silentLogger, systemClock } from '@covirt/core'
import { testProvider } from '@covirt/driver-test'
import {
  FileJournal,
  MemoryJournal,
  makeStartPlan,
  makeStopPlan,
  type RunnerParts,
  runStart,
  runStop,
  SystemProbeIo,
  simulate,
  systemConditions,
} from '@covirt/lifecycle'
import { open } from 'covirt'
import { busyboxRootfs } from '../test/fixtures/busybox-rootfs.js'
import { canRunLxc } from '../test/fixtures/requirements.js'
import { tempRoot, uniqueName } from '../test/fixtures/temp-root.js'
import type { Benchmark, Figures } from './benchmark.js'

const run = promisify(execFile)
const count = 40

interface Fleet {
  readonly parts: RunnerParts
  /** Where lxc-autostart finds its own. */
  readonly peers: string
}

/** So many containers of ours, and as many of liblxc's own tools with the configurations that ours have. */
async function withFleet(measure: (fleet: Fleet) => Promise<Figures>): Promise<Figures> {
  await using root = await tempRoot()
  const rootfs = await busyboxRootfs(root.join('rootfs'))
  await using connection = await open(`lxc:///system?root=${root.join('root')}`)
  const driver: Driver = connection.driver
  for (let index = 0; index < count; index++) {
    const domain = await connection.domains.define(`<domain type='lxc'><name>bench${index}</name>
      <metadata><c:container xmlns:c='urn:covirt:lxc:1'><c:privileged/></c:container></metadata>
      <memory unit='MiB'>64</memory><os><type>exe</type><init>/sbin/init</init></os>
      <devices><filesystem type='mount'><source dir='${rootfs}'/><target dir='/'/></filesystem></devices></domain>`)
    await domain.setAutostart(true)
  }
  const parts = partsOf(driver, root.join('notify'))
  const peers = root.join('peers')
  await runStart(await makeStartPlan(parts), parts)
  for (let index = 0; index < count; index++) {
    const own = root.join(`root/lib/lxc/containers/bench${index}`)
    const peer = `${peers}/peer${index}`
    const config = await readFile(`${own}/config`, 'utf8')
    const text = config.replaceAll(`${own}/`, `${peer}/`).replaceAll(`bench${index}`, `peer${index}`)
    await mkdir(peer, { recursive: true })
    await copyFile(`${own}/seccomp`, `${peer}/seccomp`)
    const halt = text.replace(/(lxc.signal.halt = ).*/, '$1SIGPWR')
    await writeFile(`${peer}/config`, `${halt}\nlxc.start.auto = 1\n`)
  }
  await runStop(await makeStopPlan(parts), parts)
  return await measure({ parts, peers })
}

function partsOf(driver: Driver, notifyDirectory: string): RunnerParts {
  return {
    driver,
    clock: systemClock,
    logger: silentLogger,
    journal: new MemoryJournal(),
    actor: 'user',
    boot: 'bench',
    probeIo: new SystemProbeIo(driver, notifyDirectory),
    conditions: systemConditions,
  }
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await act()
  return performance.now() - begun
}

/** From the plan's making until all containers run. */
export const fleetUp: Benchmark = {
  name: 'fleet-up',
  about: `${count} containers started by a plan; peer: lxc-autostart`,
  goal: undefined,
  requires: canRunLxc,
  run: () =>
    withFleet(async ({ parts, peers }) => {
      const ms = await timed(async () => runStart(await makeStartPlan(parts), parts))
      await runStop(await makeStopPlan(parts), parts)
      const peerMs = await timed(() => run('lxc-autostart', ['-P', peers]))
      await run('lxc-autostart', ['-P', peers, '-k'])
      return { ms, peerMs, ratio: ms / peerMs }
    }),
}

/** From the plan's making until all containers are off, each asked by its signal. */
export const fleetDown: Benchmark = {
  name: 'fleet-down',
  about: `${count} containers stopped by a plan; peer: lxc-autostart -s`,
  goal: { ratio: 0.05 },
  requires: canRunLxc,
  run: () =>
    withFleet(async ({ parts, peers }) => {
      await runStart(await makeStartPlan(parts), parts)
      const ms = await timed(async () => runStop(await makeStopPlan(parts), parts))
      await run('lxc-autostart', ['-P', peers])
      const peerMs = await timed(() => run('lxc-autostart', ['-P', peers, '-s', '-t', '60']))
      return { ms, peerMs, ratio: ms / peerMs }
    }),
}

const chains = 4
const depth = 6

/**
 * From the plan's making until its end, with the journal on disk, against the longest way through its starts as they were
 * measured: what planner and runner add to what cannot be done without.
 */
export const planOverhead: Benchmark = {
  name: 'plan-overhead',
  about: `${chains} chains of ${depth} containers brought up, against the slowest chain's own starts`,
  goal: { ratio: 1.1 },
  requires: canRunLxc,
  run: async () => {
    await using root = await tempRoot()
    const rootfs = await busyboxRootfs(root.join('rootfs'))
    await using connection = await open(`lxc:///system?root=${root.join('root')}`)
    const fleet = uniqueName('chain')
    const nameOf = (index: number) => `${fleet}-${index}`
    for (let index = 0; index < chains * depth; index++) {
      const after = index < chains ? '' : `<after domain='${nameOf(index - chains)}'/>`
      const domain = await connection.domains.define(`<domain type='lxc'><name>${nameOf(index)}</name>
        <metadata><lifecycle xmlns='urn:covirt:lifecycle:1'><start>${after}</start></lifecycle></metadata>
        <memory unit='MiB'>64</memory><os><type>exe</type><init>/sbin/init</init></os>
        <devices><filesystem type='mount'><source dir='${rootfs}'/><target dir='/'/></filesystem></devices></domain>`)
      await domain.setAutostart(true)
    }
    const { driver, took } = timedStarts(connection.driver)
    const journal = FileJournal.open({ directory: root.join('journal') })
    const parts: RunnerParts = { ...partsOf(driver, root.join('notify')), journal }
    const options = { defaults: { limit: chains } }
    const ms = await timed(async () => runStart(await makeStartPlan(parts, options), parts))
    const chainMs = Array.from({ length: chains }, (_, chain) =>
      Array.from({ length: depth }, (_none, level) => took.get(nameOf(level * chains + chain)) ?? 0).reduce(
        (sum, each) => sum + each,
      ),
    )
    await runStop(await makeStopPlan(parts), parts)
    await journal.close()
    const peerMs = Math.max(...chainMs)
    return { ms, peerMs, ratio: ms / peerMs }
  },
}

/** The driver, and how long each start took, by name. */
function timedStarts(given: Driver): { readonly driver: Driver; readonly took: ReadonlyMap<string, number> } {
  const took = new Map<string, number>()
  const startDomain: Driver['startDomain'] = async (domain, options) => {
    const begun = performance.now()
    try {
      return await given.startDomain(domain, options)
    } finally {
      took.set(domain.name, performance.now() - begun)
    }
  }
  const driver = new Proxy(given, {
    get: (target, key) => {
      if (key === 'startDomain') return startDomain
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return { driver, took }
}

/** Ten thousand simulated guests, up and down. */
export const simulation: Benchmark = {
  name: 'simulation',
  about: '10,000 guests booted and powered off in virtual time',
  goal: undefined,
  requires: () => undefined,
  run: async () => {
    const clock = new FakeClock()
    const driver = await testProvider.open(parseConnectUri('test:///empty?root=bench'), { clock })
    const domains = Array.from({ length: 10_000 }, (_, index) => {
      const after = index % 20 === 0 ? '' : `<after domain='g${index - 1}'/>`
      return `<domain type='test'><name>g${index}</name><metadata><lifecycle xmlns='urn:covirt:lifecycle:1'>
        <start>${after}<ready><init/></ready></start></lifecycle></metadata><os><type>hvm</type></os></domain>`
    })
    const ms = await timed(() =>
      simulate({ driver, clock }, { domains, limit: 500, defaults: { deadlineMs: 3_600_000 } }),
    )
    await driver.close()
    return { ms }
  },
}
