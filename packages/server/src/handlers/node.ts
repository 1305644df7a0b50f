import { VirError } from '@covirt/core'
import type { Handlers } from '../handler.js'
import { checkFlags } from './flags.js'

/** `VIR_NODE_MEMORY_STATS_ALL_CELLS` */
const allCells = -1

export const nodeHandlers = {
  nodeGetInfo: async ({ driver, options }) => {
    const { memoryKib, ...info } = await driver.getNodeInfo(options)
    return { ...info, memoryKib: BigInt(memoryKib) }
  },
  nodeGetCpuMap: async ({ driver, options }, { needMap, needOnline }) => {
    const { cpus } = await driver.getNodeInfo(options)
    return { cpuMap: needMap ? allOf(cpus) : new Uint8Array(), online: needOnline ? cpus : 0, count: cpus }
  },
  /** What there is in all: drivers do not tell what is free of it. */
  nodeGetMemoryStats: async ({ driver, options }, { count, cell, flags }) => {
    checkFlags(flags, 0, 'asking for the memory of the host')
    if (cell !== allCells)
      throw new VirError('INVALID_ARG', `The memory of NUMA node ${cell} is not known`, {
        domain: 'RPC',
        hint: 'Ask for that of all nodes: -1',
      })
    if (count === 0) return { parameters: [], count: 1 }
    const { memoryKib } = await driver.getNodeInfo(options)
    return { parameters: [{ field: 'total', value: BigInt(memoryKib) }], count: 1 }
  },
} satisfies Handlers

/** A map with one bit for each of `count` processors, the first in the lowest bit. */
function allOf(count: number): Uint8Array {
  const map = new Uint8Array(Math.ceil(count / 8))
  for (let cpu = 0; cpu < count; cpu++) map[cpu >> 3] = (map[cpu >> 3] ?? 0) | (1 << (cpu & 7))
  return map
}
