import { readFile } from 'node:fs/promises'
import { arch, cpus, machine, totalmem } from 'node:os'
import type { NodeInfo } from './host.js'

/** What this host has, from /proc/cpuinfo (proc(5)) and the operating system. */
export async function readNodeInfo(): Promise<NodeInfo> {
  const text = await readFile('/proc/cpuinfo', 'utf8').catch(() => '')
  const processors = text.split(/\n\s*\n/).map(parseProcessor)
  const present = processors.filter((processor) => processor.has('processor'))
  const count = present.length || cpus().length
  const sockets = distinct(present, (processor) => processor.get('physical id'))
  const cores = distinct(
    present,
    (processor) => `${processor.get('physical id')}/${processor.get('core id')}`,
  )
  return {
    model: machine() || arch(),
    memoryKib: Math.floor(totalmem() / 1024),
    cpus: count,
    mhz: Math.round(Number(present[0]?.get('cpu MHz') ?? 0)),
    nodes: 1,
    sockets,
    cores: Math.max(1, Math.floor(cores / sockets)),
    threads: Math.max(1, Math.floor(count / cores)),
  }
}

function parseProcessor(block: string): ReadonlyMap<string, string> {
  return new Map(
    block.split('\n').flatMap((line) => {
      const colon = line.indexOf(':')
      return colon < 0 ? [] : [[line.slice(0, colon).trim(), line.slice(colon + 1).trim()] as const]
    }),
  )
}

function distinct<T>(items: readonly T[], key: (item: T) => string | undefined): number {
  return Math.max(1, new Set(items.map(key)).size)
}
