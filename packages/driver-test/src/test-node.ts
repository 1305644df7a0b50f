import type { NodeInfo } from '@covirt/core'

/** The machine that the simulated guests run on; the same everywhere, as libvirt's test driver has it. */
export const testNode: NodeInfo = {
  model: 'i686',
  memoryKib: 3_145_728,
  cpus: 16,
  mhz: 1400,
  nodes: 2,
  sockets: 2,
  cores: 2,
  threads: 2,
}
