import { Connection, parseConnectUri } from '@covirt/core'
import { testProvider } from '@covirt/driver-test'
import type { Benchmark } from './benchmark.js'
import { median, timed } from './measure.js'

const domains = 10_000

/** A list as a GUI or `covirt list --all` needs it, of ten thousand domains, half of them running. */
export const testList: Benchmark = {
  name: 'list-10000',
  about: 'list with state and info of 10,000 test domains',
  goal: { ms: 50 },
  requires: () => undefined,
  run: async () => {
    await using connection = new Connection(
      await testProvider.open(parseConnectUri('test:///default?root=bench')),
    )
    for (let index = 0; index < domains; index++) {
      const domain = await connection.domains.define(
        `<domain type='test'><name>bench-${index}</name><memory>65536</memory><os><type>hvm</type></os></domain>`,
      )
      if (index % 2 === 0) await domain.start()
    }
    const times: number[] = []
    for (let round = 0; round < 15; round++) {
      times.push(
        await timed(async () => {
          const stats = await connection.domains.stats()
          if (stats.length <= domains) throw new Error(`only ${stats.length} domains are listed`)
        }),
      )
    }
    return { ms: median(times) }
  },
}
