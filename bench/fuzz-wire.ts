/**
 * Sends packets of all kinds to a server and makes sure that each call is answered, that nothing is thrown past it,
 * and that memory does not grow without end. It runs for as long as it is told to, by itself:
 *
 *     npm run fuzz:wire -- [--count PACKETS] [--seed NUMBER]
 */
import { parseArgs } from 'node:util'
import { type FuzzReport, fuzzServer } from '../packages/server/test/support/fuzz.js'

const { values } = parseArgs({
  options: { count: { type: 'string', default: '1000000' }, seed: { type: 'string', default: '1' } },
})
const count = Number(values.count)
const perWorld = 50_000
const mib = 2 ** 20

const start = performance.now()
let most = 0
const total = { packets: 0, calls: 0, answers: 0, connections: 0 }
for (let seed = Number(values.seed); total.packets < count; seed++) {
  const report = await fuzzServer(seed, Math.min(perWorld, count - total.packets), { onBatch: watchMemory })
  for (const key of Object.keys(total) as (keyof FuzzReport)[]) total[key] += report[key]
  const seconds = (performance.now() - start) / 1000
  console.log(
    `${total.packets} packets, ${total.calls} calls, ${total.answers} answers, ${total.connections} connections, ` +
      `${Math.round(total.packets / seconds)} packets/s, at most ${Math.round(most / mib)} MiB of heap`,
  )
}
if (total.answers !== total.calls) throw new Error(`${total.calls - total.answers} calls were not answered`)

function watchMemory(): void {
  const { heapUsed } = process.memoryUsage()
  most = Math.max(most, heapUsed)
  if (heapUsed > 1024 * mib) throw new Error(`The heap has grown to ${Math.round(heapUsed / mib)} MiB`)
}
