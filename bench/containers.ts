/**
 * `npm run bench:containers -- [--json] [--rounds N]`: containers side by side in one run, in turn, medians: covirt, liblxc's
 * own tools, LXD and libvirt's LXC driver. Peers that cannot be had here are named and left out. A stop is timed until all that the
 * container held is freed, so a start waits for nothing of the end before it; a cycle is both, with whatever may overlap of them.
 */
import { copyFile, rename } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { busyboxRootfs } from '../test/fixtures/busybox-rootfs.js'
import { canRunLxc } from '../test/fixtures/requirements.js'
import { type TempRoot, tempRoot } from '../test/fixtures/temp-root.js'
import { median, timed } from './measure.js'
import { type Contestant, type Entrant, type Verb, verbs } from './peers/contestant.js'
import { covirt } from './peers/covirt.js'
import { libvirtLxc } from './peers/libvirt-lxc.js'
import { lxcTools } from './peers/lxc-tools.js'
import { lxd } from './peers/lxd.js'

const args = process.argv.slice(2)
const rounds = Number(args[args.indexOf('--rounds') + 1] || 15)
/** An init that was just started does not hear yet that it is to go down. */
const settleMs = 30
/** What the one before has left to its daemon, and to the kernel, is not the next one's. */
const restMs = 200
const argv = ['/bin/echo', 'hello']

const why = canRunLxc()
if (why !== undefined) {
  console.error(`left out, ${why}`)
  process.exit(0)
}
const interrupted = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort())
await compare(await tempRoot())

async function compare(place: TempRoot): Promise<void> {
  const all: Contestant[] = []
  try {
    await enter(place, all)
    const medians = await measure(all)
    if (args.includes('--json')) console.log(JSON.stringify({ load: loadavg(), medians }))
    else print(medians)
  } catch (error) {
    console.error(error)
    process.exitCode = 1
  } finally {
    for (const each of all) await leave(each)
    await place[Symbol.asyncDispose]()
  }
}

/** One that cannot be taken down keeps nobody else from that. */
async function leave(contestant: Contestant): Promise<void> {
  try {
    await contestant[Symbol.asyncDispose]()
  } catch (error) {
    console.error(`${contestant.name}:`, error)
  }
}

/** Fills `all` with those who can take part here. */
async function enter(place: TempRoot, all: Contestant[]): Promise<void> {
  const rootfs = await busyboxRootfs(place.join('rootfs'))
  await copyFile(join(rootfs, 'sbin/ctinit'), join(rootfs, 'sbin/init.new'))
  await rename(join(rootfs, 'sbin/init.new'), join(rootfs, 'sbin/init'))
  const arena = { rootfs, directory: place.path }
  const own = await covirt(arena, { privileged: false })
  const privileged = await covirt(arena, { privileged: true })
  all.push(own, privileged)
  await privileged.start()
  const entrants: Readonly<Record<string, Entrant>> = {
    'lxc-*': () => lxcTools(arena, privileged.configuration),
    LXD: lxd,
    libvirt: libvirtLxc,
  }
  for (const [name, entrant] of Object.entries(entrants)) {
    try {
      all.push(await entrant(arena))
    } catch (error) {
      console.error(`${name}: left out, ${error instanceof Error ? error.message : error}`)
    }
  }
  await privileged.stop()
}

type Medians = Readonly<Record<string, Readonly<Partial<Record<Verb, number>>>>>

/** Everybody in each round, so that a machine that changes its speed does so for all; one round that does not count. */
async function measure(all: readonly Contestant[]): Promise<Medians> {
  const found = new Map(all.map(({ name }) => [name, new Map<Verb, number[]>()]))
  for (let round = -1; round < rounds; round++) {
    const first = Math.max(round, 0) % all.length
    for (const contestant of [...all.slice(first), ...all.slice(0, first)]) {
      interrupted.signal.throwIfAborted()
      await sleep(restMs)
      for (const [verb, ms] of await turn(contestant, round + 1)) {
        const times = found.get(contestant.name)
        if (round >= 0) times?.set(verb, [...(times.get(verb) ?? []), ms])
      }
    }
  }
  return Object.fromEntries(
    [...found].map(([name, times]) => [
      name,
      Object.fromEntries([...times].map(([verb, values]) => [verb, median(values)])),
    ]),
  )
}

async function turn(contestant: Contestant, round: number): Promise<readonly (readonly [Verb, number])[]> {
  const { exec, freeze, thaw, clone, linked, removeClone, snapshot, removeSnapshot } = contestant
  const times: [Verb, number][] = [['start', await timed(() => contestant.start())]]
  await sleep(settleMs)
  if (exec) times.push(['exec', await timed(() => exec(argv))])
  if (freeze) times.push(['freeze', await timed(freeze)])
  if (thaw) times.push(['thaw', await timed(thaw)])
  times.push(['cycle', await timed(() => contestant.cycle())])
  await sleep(settleMs)
  times.push(['stop', await timed(() => contestant.stop())])
  const name = `cv-bench-${round}`
  if (clone) times.push(['clone', await timed(() => clone(name))])
  await removeClone?.(name)
  if (linked) {
    times.push(['linked', await timed(() => linked(`${name}-linked`))])
    await removeClone?.(`${name}-linked`)
  }
  if (snapshot) times.push(['snapshot', await timed(() => snapshot(name))])
  await removeSnapshot?.(name)
  return times
}

function print(figures: Medians): void {
  const ours = figures.covirt ?? {}
  console.log(
    `medians of ${rounds} rounds in ms, and how many times covirt's; load ${loadavg()
      .map((each) => each.toFixed(1))
      .join(' ')} on ${cpus().length} processors`,
  )
  console.log(['', ...verbs].map((word) => word.padStart(18)).join(''))
  for (const [name, times] of Object.entries(figures)) {
    const cells = verbs.map((verb) => {
      const ms = times[verb]
      if (ms === undefined) return '-'
      return `${ms.toFixed(1)} (${(ms / (ours[verb] ?? Number.NaN)).toFixed(1)}x)`
    })
    console.log([name, ...cells].map((word) => word.padStart(18)).join(''))
  }
}
