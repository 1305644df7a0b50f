import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { canRunVirsh } from '../test/fixtures/requirements.js'
import { tempRoot } from '../test/fixtures/temp-root.js'
import type { Benchmark, Figures } from './benchmark.js'
import { startCovirtd } from './covirtd.js'
import { median, timed } from './measure.js'

const run = promisify(execFile)
const covirt = join(dirname(fileURLToPath(import.meta.url)), '../packages/covirt/bin/covirt.js')
const rounds = 15
/** Of the times in proc_pid_stat(5). */
const ticksPerSecond = 100

/** The whole process `covirt list --all`: with the drivers of this host, and as a client of covirtd, as virsh is. */
export const coldStart: Benchmark = {
  name: 'cold-start',
  about: '`covirt list --all` on local drivers, from a cold start; peer: node that ends at once',
  goal: undefined,
  requires: canRunVirsh,
  run: async (): Promise<Figures> => {
    await using root = await tempRoot()
    await using daemon = await startCovirtd(root.join('served'))
    const list = (uri: string) => [process.execPath, covirt, '-c', uri, 'list', '--all']
    const [node, local, test, served, virsh] = await measure([
      [process.execPath, '-e', '0'],
      list(`covirt:///system?root=${root.join('local')}`),
      list('test:///default'),
      list(`covirt:///system?root=${root.join('served')}`),
      ['virsh', '-c', `qemu+unix:///system?socket=${daemon.socket}`, 'list', '--all'],
    ])
    return {
      ms: local.ms,
      peerMs: node.ms,
      ratio: local.ms / node.ms,
      notes: {
        'ms CPU': local.cpuMs,
        'ms CPU of the peer': node.cpuMs,
        'ms on the test driver': test.ms,
        'ms through covirtd': served.ms,
        'ms CPU through covirtd': served.cpuMs,
        'ms virsh through covirtd': virsh.ms,
      },
    }
  },
}

/** Of a process. */
interface Cost {
  /** From its beginning to its end. */
  readonly ms: number
  /** The mean: what the kernel tells of one is coarse. */
  readonly cpuMs: number
}

/** Runs all commands in turn, so that a machine that changes its speed does so for each. */
async function measure<const C extends readonly (readonly string[])[]>(
  commands: C,
): Promise<{ [K in keyof C]: Cost }> {
  const costs = commands.map(() => ({ ms: [] as number[], cpuMs: 0 }))
  for (let round = -1; round < rounds; round++)
    for (const [index, [program = '', ...args]] of commands.entries()) {
      const before = childrenCpuMs()
      const ms = await timed(() => run(program, args))
      const cost = costs[index]
      if (round < 0 || cost === undefined) continue
      cost.ms.push(ms)
      cost.cpuMs += (childrenCpuMs() - before) / rounds
    }
  return costs.map(({ ms, cpuMs }) => ({ ms: median(ms), cpuMs })) as { [K in keyof C]: Cost }
}

/** What all processes that this one has started and seen end have used of processors: cutime and cstime of proc_pid_stat(5). */
function childrenCpuMs(): number {
  const [, fields = ''] = readFileSync('/proc/self/stat', 'utf8').split(') ')
  const [user, system] = fields.split(' ').slice(13, 15).map(Number)
  return (((user ?? 0) + (system ?? 0)) * 1000) / ticksPerSecond
}
