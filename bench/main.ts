import { fleetDown, fleetUp, planOverhead, simulation } from './autostart.js'
import type { Benchmark, Figures } from './benchmark.js'
import { coldStart } from './cold-start.js'
import { daemonStart } from './daemon-start.js'
import { lxcCycle, lxcExec, lxcMemory, lxcStart, lxcStop } from './lxc.js'
import { qemuStart } from './qemu.js'
import { remoteClient, remotePipelined, remoteSerial } from './remote-calls.js'
import { testList } from './test-list.js'
import { wireCalls, wireList } from './wire.js'
import { wireFanOut } from './wire-fan-out.js'
import { xmlRoundTrip } from './xml.js'

const benchmarks: readonly Benchmark[] = [
  lxcStart,
  lxcStop,
  lxcCycle,
  lxcExec,
  lxcMemory,
  qemuStart,
  testList,
  xmlRoundTrip,
  wireCalls,
  wireList,
  wireFanOut,
  fleetUp,
  fleetDown,
  planOverhead,
  simulation,
  coldStart,
  daemonStart,
  remotePipelined,
  remoteSerial,
  remoteClient,
]

const args = process.argv.slice(2)
const json = args.includes('--json')
const names = args.filter((arg) => !arg.startsWith('--'))
const unknown = names.filter((name) => !benchmarks.some((each) => each.name === name))
if (unknown.length > 0) {
  console.error(
    `No benchmark is named ${unknown.join(', ')}. There are: ${benchmarks.map(({ name }) => name).join(', ')}`,
  )
  process.exit(2)
}

const chosen = benchmarks.filter(({ name }) => names.length === 0 || names.includes(name))
const results: Record<string, Figures> = {}
for (const benchmark of chosen) {
  const why = benchmark.requires()
  if (why !== undefined) {
    console.error(`${benchmark.name}: left out, ${why}`)
    continue
  }
  const figures = await benchmark.run()
  results[benchmark.name] = figures
  if (!json) console.log(line(benchmark, figures))
}
if (json) {
  const only = chosen.length === 1 ? Object.values(results)[0] : undefined
  console.log(JSON.stringify(only ?? results))
}

function line({ name, about, goal }: Benchmark, { ms, peerMs, ratio, memoryKib, notes }: Figures): string {
  const figures = [`${ms.toFixed(2)} ms`]
  if (peerMs !== undefined) figures.push(`peer ${peerMs.toFixed(2)} ms`)
  if (ratio !== undefined) figures.push(`ratio ${ratio.toFixed(3)}`)
  if (memoryKib !== undefined) figures.push(`${(memoryKib / 1024).toFixed(1)} MiB`)
  for (const [what, value] of Object.entries(notes ?? {})) figures.push(`${value.toFixed(0)} ${what}`)
  if (goal) figures.push('ratio' in goal ? `goal ≤ ${goal.ratio}` : `goal ≤ ${goal.ms} ms`)
  return `${name.padEnd(12)} ${figures.join(', ').padEnd(62)} ${about}`
}
