/**
 * What long use leaves: `npm run soak [-- CYCLES]`. Prints figures as JSON, and fails where anything leaks.
 */
import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Connection, type Domain, type LxcDriver, open } from 'covirt'
import { netnsBridge } from '../test/fixtures/bridge.js'
import { busyboxRootfs } from '../test/fixtures/busybox-rootfs.js'
import { expectMachineUnchanged, machineState } from '../test/fixtures/machine-state.js'
import { type TempRoot, tempRoot, uniqueName } from '../test/fixtures/temp-root.js'

const run = promisify(execFile)
const [cycles = 500] = process.argv.slice(2).map(Number)
const containers = 30
const warmUpCycles = 20

interface Place {
  readonly root: TempRoot
  readonly connection: Connection<LxcDriver>
  define(devices?: string): Promise<Domain<LxcDriver>>
}

await using root = await tempRoot()
const rootfs = await busyboxRootfs(root.join('rootfs'))
await using connection = await open(`lxc:///system?root=${root.join('root')}`)
const place: Place = {
  root,
  connection,
  define: (devices = '') =>
    connection.domains.define(`<domain type='lxc'><name>${uniqueName('soak')}</name>
      <memory unit='MiB'>64</memory><os><type>exe</type><init>/sbin/ctinit</init></os>
      <devices><filesystem type='mount'><source dir='${rootfs}'/><target dir='/'/></filesystem>${devices}</devices>
      </domain>`),
}
try {
  const figures = {
    cycles: await startAndStop(place),
    together: await runTogether(place),
  }
  process.stdout.write(`${JSON.stringify(figures, undefined, 2)}\n`)
} finally {
  for (const domain of await connection.domains.list({ active: true })) await domain.destroy()
}

/** Starts and stops a container on a bridge again and again. */
async function startAndStop({ define }: Place) {
  await using bridge = await netnsBridge()
  const domain = await define(`<interface type='bridge'><source bridge='${bridge.name}'/></interface>`)
  const cycle = async () => {
    await domain.start()
    await domain.destroy()
  }
  for (let count = 0; count < warmUpCycles; count++) await cycle()
  const machine = machineState()
  const before = await usage()
  const startedAt = performance.now()
  for (let count = 0; count < cycles; count++) await cycle()
  const msEach = (performance.now() - startedAt) / cycles
  const after = await usage()
  await expectMachineUnchanged(machine, { token: domain.name })
  if (after.fds > before.fds || after.threads > before.threads)
    throw new Error(`leaked: ${JSON.stringify({ before, after })}`)
  await domain.undefine()
  return { cycles, msEach: round(msEach), before, after }
}

/** What each of many containers costs this process and the machine, beside one of lxc-start's. */
async function runTogether({ define, root: directory }: Place) {
  const domains: Domain<LxcDriver>[] = []
  for (let count = 0; count < containers; count++) domains.push(await define())
  const [first, ...others] = domains
  await first?.start()
  const before = await usage()
  for (const domain of others) await domain.start()
  const after = await usage()
  const pids = await monitors(directory.join('root/lib/lxc/containers'))
  const ours = await Promise.all(pids.map(pssKib))
  const peer = await peerMonitorKib(directory)
  for (const domain of domains) {
    await domain.destroy()
    await domain.undefine()
  }
  const perContainer = (key: keyof typeof before) => (after[key] - before[key]) / others.length
  return {
    containers,
    fdsEach: perContainer('fds'),
    threadsEach: perContainer('threads'),
    timersEach: perContainer('timers'),
    monitorPssKib: { ours: round(median(ours)), lxcStart: peer },
  }
}

/** A monitor of lxc-start's, of a container with liblxc's usual configuration. */
async function peerMonitorKib(directory: TempRoot): Promise<number> {
  const path = directory.join('peer')
  await mkdir(join(path, 'peer'), { recursive: true })
  await writeFile(
    join(path, 'peer/config'),
    `lxc.include = /usr/share/lxc/config/common.conf
lxc.rootfs.path = dir:${rootfs}
lxc.uts.name = peer
lxc.init.cmd = /sbin/ctinit
lxc.net.0.type = empty
`,
  )
  const peer = ['-P', path, '-n', 'peer']
  await run('lxc-start', ['-d', ...peer])
  try {
    const [pid = 0] = await monitors(path)
    return await pssKib(pid)
  } finally {
    await run('lxc-stop', ['-k', ...peer])
  }
}

async function usage() {
  globalThis.gc?.()
  const [fds, threads] = await Promise.all(['fd', 'task'].map((each) => readdir(`/proc/self/${each}`)))
  const timers = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
  return {
    fds: fds?.length ?? 0,
    threads: threads?.length ?? 0,
    timers,
    rssMib: round(process.memoryUsage.rss() / 2 ** 20),
  }
}

/** The processes that watch over the containers of an lxcpath. */
async function monitors(path: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const found = await Promise.all(
    pids.map(async (pid) => {
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      return command.startsWith(`[lxc monitor] ${path} `) ? [Number(pid)] : []
    }),
  )
  return found.flat()
}

/** What a process has of memory, shared pages in parts (proc_pid_smaps(5)). */
async function pssKib(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '')
  return Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0)
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
