import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { privateLibvirtd } from '../test/fixtures/private-libvirtd.js'
import { canRunLibvirtd, canRunPythonLibvirt } from '../test/fixtures/requirements.js'
import { tempRoot } from '../test/fixtures/temp-root.js'
import type { Benchmark } from './benchmark.js'
import { childServer } from './child-server.js'
import { pair } from './measure.js'

const run = promisify(execFile)
const rounds = 7

/** Prepares, then prints how many milliseconds the lines of `work` take, after as many that do not count. */
function program(prepare: readonly string[], work: readonly string[], times: number): string {
  return [
    'import libvirt, sys, time',
    'c = libvirt.open(sys.argv[1])',
    "d = c.lookupByName('test')",
    ...prepare,
    'def work(n):',
    '  for _ in range(n):',
    ...work.map((line) => `    ${line}`),
    `work(${Math.ceil(times / 4)})`,
    't = time.perf_counter()',
    `work(${times})`,
    'print((time.perf_counter() - t) * 1000)',
  ].join('\n')
}

const calls = 2000
/** Four calls each, so that the figure is of 2,000 calls. */
const smallCalls = program([], ["c.lookupByName('test')", 'd.info()', 'd.XMLDesc()', 'd.state()'], calls / 4)

const domains = 1000
const listCalls = program(
  [
    `if c.numOfDefinedDomains() < ${domains}:`,
    `  for i in range(${domains}):`,
    `    c.defineXML("<domain type='test'><name>b%d</name><memory>65536</memory><os><type>hvm</type></os></domain>" % i)`,
  ],
  [`assert len(c.listAllDomains()) == ${domains + 1}`],
  20,
)

export const wireCalls = wireBenchmark(
  'wire-calls',
  `${calls} calls of python3-libvirt to the server, one after another: look-up, info, XML, state; peer: libvirtd`,
  smallCalls,
)

export const wireList = wireBenchmark(
  'wire-list',
  `20 lists of ${domains} domains by python3-libvirt from the server; peer: libvirtd`,
  listCalls,
)

function wireBenchmark(name: string, about: string, source: string): Benchmark {
  return {
    name,
    about,
    goal: { ratio: 1 },
    requires: () => canRunPythonLibvirt() ?? canRunLibvirtd(),
    run: async () => {
      await using directory = await tempRoot()
      await using peer = await privateLibvirtd()
      const socket = directory.join('sock')
      await using _ = await childServer('wire-server.ts', socket)
      const { oursMs, peerMs, ratio } = await pair(
        rounds,
        () => measured(source, socket),
        () => measured(source, peer.socket),
      )
      return { ms: oursMs, peerMs, ratio }
    },
  }
}

async function measured(source: string, socket: string): Promise<number> {
  const uri = `test+unix:///default?socket=${socket}`
  const { stdout } = await run('/usr/bin/python3', ['-c', source, uri])
  return Number(stdout)
}
