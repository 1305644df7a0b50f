import { execFile } from 'node:child_process'
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { type Domain, type LxcDriver, open } from 'covirt'
import { busyboxRootfs } from '../test/fixtures/busybox-rootfs.js'
import { canRunLxc } from '../test/fixtures/requirements.js'
import { tempRoot } from '../test/fixtures/temp-root.js'
import type { Benchmark, Figures } from './benchmark.js'
import { median, pair, timed } from './measure.js'
import { untilFree } from './until-free.js'

const run = promisify(execFile)
const rounds = 25

/**
 * A container of ours, and one of liblxc's own tools with the very configuration that ours has. Without a user namespace:
 * those tools cannot give ids to it that /etc/subuid does not give to root.
 */
interface Contest {
  readonly domain: Domain<LxcDriver>
  /** Resolves once nothing of the guest is left: liblxc's tools wait for as much. */
  stopOurs(): Promise<void>
  startPeer(): Promise<unknown>
  stopPeer(): Promise<unknown>
  /** Runs a program in it to its end. */
  attachPeer(argv: readonly string[]): Promise<unknown>
  /** The lxcpath of each. */
  readonly paths: { readonly ours: string; readonly peer: string }
}

async function contest(measure: (contest: Contest) => Promise<Figures>): Promise<Figures> {
  await using root = await tempRoot()
  const rootfs = await busyboxRootfs(root.join('rootfs'))
  await using connection = await open(`lxc:///system?root=${root.join('root')}`)
  const domain = await connection.domains.define(`<domain type='lxc'>
    <name>bench</name><memory unit='MiB'>64</memory>
    <metadata><c:container xmlns:c='urn:covirt:lxc:1'><c:privileged/></c:container></metadata>
    <os><type>exe</type><init>/sbin/ctinit</init></os>
    <devices><filesystem type='mount'><source dir='${rootfs}'/><target dir='/'/></filesystem>
    <console type='pty'/></devices></domain>`)
  const stopOurs = async () => {
    await domain.shutdown()
    await domain.waitFor('shutoff')
    await untilFree(domain)
  }
  await domain.start()
  const config = await readFile(root.join('root/lib/lxc/containers/bench/config'), 'utf8')
  const peer = ['-P', root.join('peer'), '-n', 'peer']
  await mkdir(root.join('peer/peer'), { recursive: true })
  await copyFile(root.join('root/lib/lxc/containers/bench/seccomp'), root.join('peer/peer/seccomp'))
  await stopOurs()
  // The driver chooses the signal by what an init listens to; liblxc's tools have to be told.
  const peerConfig = config
    .replaceAll('bench', 'peer')
    .replace(/(lxc.seccomp.profile = ).*/, `$1${root.join('peer/peer/seccomp')}`)
    .replace(/(lxc.signal.halt = ).*/, '$1SIGPWR')
  await writeFile(root.join('peer/peer/config'), peerConfig)
  return await measure({
    domain,
    stopOurs,
    startPeer: () => run('lxc-start', ['-d', ...peer]),
    stopPeer: () => run('lxc-stop', peer),
    attachPeer: (argv) => run('lxc-attach', [...peer, '--clear-env', '--', ...argv]),
    paths: { ours: root.join('root/lib/lxc/containers'), peer: root.join('peer') },
  })
}

/**
 * From the call, or the start of the program, until the container runs; of one whose end before is over, so that none of that is
 * waited for here.
 */
export const lxcStart: Benchmark = {
  name: 'lxc-start',
  about: 'container start; peer: lxc-start -d with the same configuration',
  goal: { ratio: 1.15 },
  requires: canRunLxc,
  run: () =>
    contest(async ({ domain, stopOurs, startPeer, stopPeer }) => {
      const { oursMs, peerMs, ratio } = await pair(
        rounds,
        async () => {
          const ms = await timed(() => domain.start())
          await stopOurs()
          return ms
        },
        async () => {
          const ms = await timed(startPeer)
          await stopPeer()
          return ms
        },
      )
      return { ms: oursMs, peerMs, ratio }
    }),
}

/** From asking until nothing of the container is left. */
export const lxcStop: Benchmark = {
  name: 'lxc-stop',
  about: 'clean container stop; peer: lxc-stop',
  goal: { ratio: 1.15 },
  requires: canRunLxc,
  run: () =>
    contest(async ({ domain, stopOurs, startPeer, stopPeer }) => {
      const { oursMs, peerMs, ratio } = await pair(
        rounds,
        async () => {
          await domain.start()
          return timed(stopOurs)
        },
        async () => {
          await startPeer()
          return timed(stopPeer)
        },
      )
      return { ms: oursMs, peerMs, ratio }
    }),
}

/** From asking a container that runs to go off until it runs again, as after a change that only a new start brings. */
export const lxcCycle: Benchmark = {
  name: 'lxc-cycle',
  about: 'clean container stop and start again; peer: lxc-stop, then lxc-start -d',
  goal: { ratio: 1.15 },
  requires: canRunLxc,
  run: () =>
    contest(async ({ domain, stopOurs, startPeer, stopPeer }) => {
      await domain.start()
      await startPeer()
      const { oursMs, peerMs, ratio } = await pair(
        rounds,
        () =>
          timed(async () => {
            await domain.shutdown()
            await domain.waitFor('shutoff')
            await domain.start()
          }),
        () =>
          timed(async () => {
            await stopPeer()
            await startPeer()
          }),
      )
      await stopOurs()
      await stopPeer()
      return { ms: oursMs, peerMs, ratio }
    }),
}

/** From the call until the program has ended and all that it printed has been read. */
export const lxcExec: Benchmark = {
  name: 'lxc-exec',
  about: 'echo in a running container; peer: lxc-attach',
  goal: { ratio: 1.15 },
  requires: canRunLxc,
  run: () =>
    contest(async ({ domain, stopOurs, startPeer, stopPeer, attachPeer }) => {
      const argv = ['/bin/echo', 'hello']
      await domain.start()
      await startPeer()
      const { oursMs, peerMs, ratio } = await pair(
        4 * rounds,
        () =>
          timed(async () => {
            const { exit, stdout, stderr } = await domain.exec(argv, { stdin: '' })
            await Promise.all([exit, text(stdout), text(stderr)])
          }),
        () => timed(() => attachPeer(argv)),
      )
      await stopOurs()
      await stopPeer()
      return { ms: oursMs, peerMs, ratio }
    }),
}

/** What the process that watches over a container has of memory, shared pages in parts (proc_pid_smaps(5)). */
export const lxcMemory: Benchmark = {
  name: 'lxc-memory',
  about: "memory (PSS) of a container's monitor; peer: that of lxc-start with the same configuration",
  goal: { ratio: 1.2 },
  unit: 'KiB',
  requires: canRunLxc,
  run: () =>
    contest(async ({ domain, stopOurs, startPeer, stopPeer, paths }) => {
      const ours: number[] = []
      const peers: number[] = []
      for (let round = 0; round < 10; round++) {
        // Both are there while they are measured: they share liblxc.
        await Promise.all([domain.start(), startPeer()])
        ours.push(await pssKib(await monitorOf(paths.ours)))
        peers.push(await pssKib(await monitorOf(paths.peer)))
        await Promise.all([stopOurs(), stopPeer()])
      }
      return { ms: median(ours), peerMs: median(peers), ratio: median(ours) / median(peers) }
    }),
}

/** liblxc's process that watches over the only container of an lxcpath. */
async function monitorOf(path: string): Promise<string> {
  for (const pid of await readdir('/proc')) {
    const command = /^\d+$/.test(pid) ? await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '') : ''
    if (command.startsWith(`[lxc monitor] ${path} `)) return pid
  }
  throw new Error(`no container of ${path} runs`)
}

async function pssKib(pid: string): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
  return Number(/^Pss:\s+(\d+)/m.exec(text)?.[1])
}
