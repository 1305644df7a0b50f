import type { TuningRole } from '@covirt/core'
import {
  blkioFromParameters,
  blkioToParameters,
  limits,
  memoryFromParameters,
  memoryToParameters,
  procedures,
  schedulerFromParameters,
  schedulerToParameters,
  type TypedParameter,
} from '@covirt/protocol'
import type { PeerCalls } from '../peer-calls.js'
import { impactOf } from './devices.js'

/** VIR_DOMAIN_MEM_MAXIMUM and VIR_DOMAIN_VCPU_MAXIMUM. */
const maximumFlag = 4
/** VIR_TYPED_PARAM_STRING_OKAY. */
const textsToo = 4
/** libvirt's QEMU driver tells of a limit on memory that is not ours. */
const notOurs = 'min_guarantee'

/** What a guest may use. */
export function tuningRole(calls: PeerCalls): TuningRole {
  return {
    setMemory: async (domain, memoryKib, { signal, ...options } = {}) => {
      const args = { domain, memoryKib: BigInt(memoryKib), flags: impactOf(options) }
      await calls.call(procedures.domainSetMemoryFlags, args, { signal })
    },
    setMaxMemory: async (domain, memoryKib, { signal, ...options } = {}) => {
      const args = { domain, memoryKib: BigInt(memoryKib), flags: impactOf(options) | maximumFlag }
      await calls.call(procedures.domainSetMemoryFlags, args, { signal })
    },
    setVcpus: async (domain, nvcpus, { signal, maximum, ...options } = {}) => {
      const flags = impactOf(options) | (maximum ? maximumFlag : 0)
      await calls.call(procedures.domainSetVcpusFlags, { domain, nvcpus, flags }, { signal })
    },
    getVcpus: async (domain, { signal, maximum, ...options } = {}) => {
      const flags = impactOf(options) | (maximum ? maximumFlag : 0)
      return (await calls.call(procedures.domainGetVcpusFlags, { domain, flags }, { signal })).count
    },
    getSchedulerParameters: async (domain, { signal, ...options } = {}) => {
      const args = { domain, count: limits.parameters, flags: impactOf(options) }
      const { parameters } = await calls.call(procedures.domainGetSchedulerParametersFlags, args, { signal })
      return schedulerFromParameters(parameters)
    },
    setSchedulerParameters: async (domain, scheduler, { signal, ...options } = {}) => {
      const parameters = schedulerToParameters(scheduler)
      const args = { domain, parameters, flags: impactOf(options) }
      await calls.call(procedures.domainSetSchedulerParametersFlags, args, { signal })
    },
    getMemoryParameters: async (domain, { signal, ...options } = {}) => {
      const flags = impactOf(options)
      const ask = (count: number) =>
        calls.call(procedures.domainGetMemoryParameters, { domain, count, flags }, { signal })
      const { parameters } = await ask((await ask(0)).count)
      return memoryFromParameters(without(parameters, notOurs))
    },
    setMemoryParameters: async (domain, memory, { signal, ...options } = {}) => {
      const args = { domain, parameters: memoryToParameters(memory), flags: impactOf(options) }
      await calls.call(procedures.domainSetMemoryParameters, args, { signal })
    },
    getBlkioParameters: async (domain, { signal, ...options } = {}) => {
      const flags = impactOf(options) | textsToo
      const ask = (count: number) =>
        calls.call(procedures.domainGetBlkioParameters, { domain, count, flags }, { signal })
      const { parameters } = await ask((await ask(0)).count)
      return blkioFromParameters(parameters)
    },
    setBlkioParameters: async (domain, blkio, { signal, ...options } = {}) => {
      const parameters = blkioToParameters(blkio).filter(({ value }) => value !== '')
      const args = { domain, parameters, flags: impactOf(options) }
      await calls.call(procedures.domainSetBlkioParameters, args, { signal })
    },
  }
}

function without(parameters: readonly TypedParameter[], field: string): readonly TypedParameter[] {
  return parameters.filter((parameter) => parameter.field !== field)
}
