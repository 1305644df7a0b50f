import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Benchmark } from './benchmark.js'
import { pair, timed } from './measure.js'

const run = promisify(execFile)
const covirt = join(dirname(fileURLToPath(import.meta.url)), '../packages/covirt/bin/covirt.js')

/** The whole process `covirt list`, beside a Node that does nothing. */
export const coldStart: Benchmark = {
  name: 'cold-start',
  about: '`covirt list --all` from a cold start; peer: node that ends at once',
  goal: undefined,
  requires: () => undefined,
  run: async () => {
    const { oursMs, peerMs, ratio } = await pair(
      15,
      () => timed(() => run(process.execPath, [covirt, '-c', 'test:///default', 'list', '--all'])),
      () => timed(() => run(process.execPath, ['-e', '0'])),
    )
    return { ms: oursMs, peerMs, ratio }
  },
}
