import type { Handlers } from '../handler.js'

export const nodeHandlers = {
  nodeGetInfo: async ({ driver, options }) => {
    const { memoryKib, ...info } = await driver.getNodeInfo(options)
    return { ...info, memoryKib: BigInt(memoryKib) }
  },
  nodeGetCpuMap: async ({ driver, options }, { needMap, needOnline }) => {
    const { cpus } = await driver.getNodeInfo(options)
    return { cpuMap: needMap ? allOf(cpus) : new Uint8Array(), online: needOnline ? cpus : 0, count: cpus }
  },
} satisfies Handlers

/** A map with one bit for each of `count` processors, the first in the lowest bit. */
function allOf(count: number): Uint8Array {
  const map = new Uint8Array(Math.ceil(count / 8))
  for (let cpu = 0; cpu < count; cpu++) map[cpu >> 3] = (map[cpu >> 3] ?? 0) | (1 << (cpu & 7))
  return map
}
