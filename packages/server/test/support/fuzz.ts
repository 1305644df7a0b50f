import { parseConnectUri } from '@covirt/core'
import { testProvider } from '@covirt/driver-test'
import { Server } from '../../src/index.js'
import { duplexPair } from './duplex-pair.js'
import { Random, randomBytes, randomCall, randomNoise } from './random-packets.js'
import { WireClient } from './wire-client.js'

/** What was sent, and what came back. */
export interface FuzzReport {
  packets: number
  calls: number
  answers: number
  connections: number
}

const batch = 500

/**
 * Sends `packets` packets to a server: calls of all kinds, of which each must be answered, with noise between them;
 * and, over connections of their own, bytes that may be no packets. Throws where a call is not answered within
 * `patienceMs`.
 */
export async function fuzzServer(
  seed: number,
  packets: number,
  { patienceMs = 20_000, onBatch }: { patienceMs?: number; onBatch?: (report: FuzzReport) => void } = {},
): Promise<FuzzReport> {
  const random = new Random(seed)
  const uri = `test:///default?root=fuzz-${seed}`
  const server = new Server({ open: () => testProvider.open(parseConnectUri(uri)) })
  const report: FuzzReport = { packets: 0, calls: 0, answers: 0, connections: 0 }
  const connect = () => {
    const [near, far] = duplexPair()
    server.accept(far, { name: 'fuzz', transport: 'unix' })
    report.connections++
    return { client: new WireClient(near), near }
  }
  while (report.packets < packets) {
    const { client } = connect()
    await client.open(uri)
    const answers: Promise<unknown>[] = []
    for (let count = 0; count < Math.min(batch, packets - report.packets); count++) {
      const serial = 1000 + count
      if (random.below(8) === 0) client.channel.send(randomNoise(random))
      else answers.push(client.raw(randomCall(random, serial), serial))
    }
    report.packets += batch
    report.calls += answers.length
    await within(patienceMs, Promise.all(answers), `seed ${seed}, packets before ${report.packets}`)
    report.answers += answers.length
    client.channel.destroy()

    const other = connect()
    for (let count = 0; count < 10 && !other.client.channel.closed; count++) {
      other.near.write(randomBytes(random))
      report.packets++
    }
    await new Promise((resolve) => setImmediate(resolve))
    other.client.channel.destroy()
    onBatch?.(report)
  }
  await server.close()
  return report
}

async function within<T>(ms: number, promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`A call was not answered: ${what}`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
