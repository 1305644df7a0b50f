import { execFile } from 'node:child_process'
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { performance } from 'node:perf_hooks'
import { promisify } from 'node:util'
import { type Driver, FakeClock, parseConnectUri, silentLogger, systemClock } from '@covirt/core'
import { testProvider } from '@covirt/driver-test'
import {
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
import { tempRoot } from '../test/fixtures/temp-root.js'
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
  const parts: RunnerParts = {
    driver,
    clock: systemClock,
    logger: silentLogger,
    journal: new MemoryJournal(),
    actor: 'user',
    boot: 'bench',
    probeIo: new SystemProbeIo(driver, root.join('notify')),
    conditions: systemConditions,
  }
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
