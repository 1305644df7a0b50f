import { type ChangeOptions, requireRole, VirError } from '@covirt/core'
import {
  blkioFromParameters,
  blkioToParameters,
  impact,
  memoryFromParameters,
  memoryToParameters,
  schedulerFromParameters,
  schedulerToParameters,
  type TypedParameter,
} from '@covirt/protocol'
import type { Call, Handlers } from '../handler.js'
import { checkFlags, hasFlag } from './flags.js'

/** VIR_DOMAIN_MEM_MAXIMUM and VIR_DOMAIN_VCPU_MAXIMUM. */
const maximum = 4
/** VIR_TYPED_PARAM_STRING_OKAY: the client understands parameters that are texts. */
const textsToo = 4
const both = impact.live | impact.config

export const domainTuningHandlers = {
  // Of these two libvirt says that they are for domains that are active.
  domainSetMemory: (call, { domain, memoryKib }) =>
    tuning(call).setMemory(domain, kibOf(memoryKib), { ...call.options, live: true }),
  domainSetVcpus: (call, { domain, nvcpus }) =>
    tuning(call).setVcpus(domain, nvcpus, { ...call.options, live: true }),
  domainSetMaxMemory: (call, { domain, memoryKib }) =>
    tuning(call).setMaxMemory(domain, kibOf(memoryKib), call.options),
  domainSetMemoryFlags: (call, { domain, memoryKib, flags }) => {
    checkFlags(flags, both | maximum, 'setting memory')
    const options = changeOf(call, flags)
    if (hasFlag(flags, maximum)) return tuning(call).setMaxMemory(domain, kibOf(memoryKib), options)
    return tuning(call).setMemory(domain, kibOf(memoryKib), options)
  },
  domainSetVcpusFlags: (call, { domain, nvcpus, flags }) => {
    checkFlags(flags, both | maximum, 'setting processors')
    return tuning(call).setVcpus(domain, nvcpus, {
      ...changeOf(call, flags),
      maximum: hasFlag(flags, maximum),
    })
  },
  domainGetVcpusFlags: async (call, { domain, flags }) => {
    checkFlags(flags, both | maximum, 'asking for processors')
    const { driver, options } = call
    if (!driver.tuning) return { count: (await driver.getDomainInfo(domain, options)).vcpus }
    const wanted = { ...changeOf(call, flags), maximum: hasFlag(flags, maximum) }
    return { count: await driver.tuning.getVcpus(domain, wanted) }
  },
  domainGetMaxVcpus: async ({ driver, options }, { domain }) => ({
    count: driver.tuning
      ? await driver.tuning.getVcpus(domain, { ...options, maximum: true })
      : (await driver.getDomainInfo(domain, options)).vcpus,
  }),

  domainGetSchedulerType: async (call, { domain }) => {
    const parameters = await tuning(call).getSchedulerParameters(domain, call.options)
    return { type: 'posix', count: Object.keys(parameters).length }
  },
  domainGetSchedulerParameters: async (call, { domain, count }) => {
    const parameters = await tuning(call).getSchedulerParameters(domain, call.options)
    return { parameters: atMost(schedulerToParameters(parameters), count) }
  },
  domainGetSchedulerParametersFlags: async (call, { domain, count, flags }) => {
    checkFlags(flags, both | textsToo, 'asking for the scheduler')
    const parameters = await tuning(call).getSchedulerParameters(domain, changeOf(call, flags))
    return { parameters: atMost(schedulerToParameters(parameters), count) }
  },
  domainSetSchedulerParameters: (call, { domain, parameters }) =>
    tuning(call).setSchedulerParameters(domain, schedulerFromParameters(parameters), call.options),
  domainSetSchedulerParametersFlags: (call, { domain, parameters, flags }) => {
    checkFlags(flags, both, 'setting the scheduler')
    const changed = schedulerFromParameters(parameters)
    return tuning(call).setSchedulerParameters(domain, changed, changeOf(call, flags))
  },
  domainGetMemoryParameters: async (call, { domain, count, flags }) => {
    checkFlags(flags, both | textsToo, 'asking for limits of memory')
    const parameters = await tuning(call).getMemoryParameters(domain, changeOf(call, flags))
    return counted(memoryToParameters(parameters), count)
  },
  domainSetMemoryParameters: (call, { domain, parameters, flags }) => {
    checkFlags(flags, both, 'setting limits of memory')
    const changed = memoryFromParameters(parameters)
    return tuning(call).setMemoryParameters(domain, changed, changeOf(call, flags))
  },
  domainGetBlkioParameters: async (call, { domain, count, flags }) => {
    checkFlags(flags, both | textsToo, 'asking for limits of disks')
    const found = blkioToParameters(await tuning(call).getBlkioParameters(domain, changeOf(call, flags)))
    return counted(hasFlag(flags, textsToo) ? found : found.filter(({ type }) => type !== 'string'), count)
  },
  domainSetBlkioParameters: (call, { domain, parameters, flags }) => {
    checkFlags(flags, both, 'setting limits of disks')
    const changed = blkioFromParameters(parameters)
    return tuning(call).setBlkioParameters(domain, changed, changeOf(call, flags))
  },
} satisfies Handlers

/** In which documents a call with these flags changes something, or looks. */
export function changeOf({ options }: Pick<Call, 'options'>, flags: number): ChangeOptions {
  return { ...options, live: hasFlag(flags, impact.live), config: hasFlag(flags, impact.config) }
}

function tuning({ driver }: Pick<Call, 'driver'>) {
  return requireRole(driver, 'tuning')
}

function kibOf(memoryKib: bigint): number {
  const kib = Number(memoryKib)
  if (Number.isSafeInteger(kib)) return kib
  throw new VirError('INVALID_ARG', `No domain has ${memoryKib} KiB of memory`, { domain: 'DOM' })
}

function atMost(parameters: readonly TypedParameter[], count: number): readonly TypedParameter[] {
  return parameters.slice(0, Math.max(0, count))
}

/** A client asks first how many there are. */
function counted(parameters: readonly TypedParameter[], count: number) {
  return count === 0
    ? { parameters: [], count: parameters.length }
    : { parameters: atMost(parameters, count), count }
}
