import {
  type BlkioDevice,
  type BlkioParameters,
  type MemoryParameters,
  type SchedulerParameters,
  VirError,
} from '@covirt/core'
import type { TypedParameter } from './values/index.js'

/** What libvirt calls the parameters, and of which type they are. */
const schedulerFields = {
  shares: ['cpu_shares', 'ullong'],
  periodUs: ['vcpu_period', 'ullong'],
  quotaUs: ['vcpu_quota', 'llong'],
  emulatorPeriodUs: ['emulator_period', 'ullong'],
  emulatorQuotaUs: ['emulator_quota', 'llong'],
  globalPeriodUs: ['global_period', 'ullong'],
  globalQuotaUs: ['global_quota', 'llong'],
  iothreadPeriodUs: ['iothread_period', 'ullong'],
  iothreadQuotaUs: ['iothread_quota', 'llong'],
} as const satisfies Record<keyof SchedulerParameters, Field>

const memoryFields = {
  hardLimitKib: ['hard_limit', 'ullong'],
  softLimitKib: ['soft_limit', 'ullong'],
  swapHardLimitKib: ['swap_hard_limit', 'ullong'],
} as const satisfies Record<keyof MemoryParameters, Field>

/** Of devices libvirt tells in one text for each of these: `PATH,VALUE,PATH,VALUE`. */
const deviceFields = {
  weight: 'device_weight',
  readIopsSec: 'device_read_iops_sec',
  writeIopsSec: 'device_write_iops_sec',
  readBytesSec: 'device_read_bytes_sec',
  writeBytesSec: 'device_write_bytes_sec',
} as const satisfies Record<Exclude<keyof BlkioDevice, 'path'>, string>

type Field = readonly [name: string, type: 'ullong' | 'llong']
type Parameters = readonly TypedParameter[]

/** As virDomainSetSchedulerParameters wants them. */
export function schedulerToParameters(parameters: SchedulerParameters): Parameters {
  return toParameters(schedulerFields, parameters)
}

/** `INVALID_ARG` for what libvirt does not know. */
export function schedulerFromParameters(parameters: Parameters): SchedulerParameters {
  return fromParameters(schedulerFields, parameters)
}

/** As virDomainSetMemoryParameters wants them. */
export function memoryToParameters(parameters: MemoryParameters): Parameters {
  return toParameters(memoryFields, parameters)
}

/** `INVALID_ARG` for what libvirt does not know. */
export function memoryFromParameters(parameters: Parameters): MemoryParameters {
  return fromParameters(memoryFields, parameters)
}

/** As virDomainSetBlkioParameters wants them: what is not said of a device is left out. */
export function blkioToParameters({ weight, devices }: BlkioParameters): Parameters {
  const texts = Object.entries(deviceFields).map(([key, field]): TypedParameter => {
    const words = (devices ?? []).flatMap((device) => {
      const value = device[key as keyof typeof deviceFields]
      return value === undefined ? [] : `${device.path},${value}`
    })
    return { field, type: 'string', value: words.join(',') }
  })
  return [
    ...(weight === undefined ? [] : [{ field: 'weight', type: 'uint', value: weight } as const]),
    ...(devices === undefined ? [] : texts),
  ]
}

/** `INVALID_ARG` for what libvirt does not know, or is no list of devices. */
export function blkioFromParameters(parameters: Parameters): BlkioParameters {
  const devices = new Map<string, BlkioDevice>()
  let weight: number | undefined
  for (const { field, value } of parameters) {
    const [key] = Object.entries(deviceFields).find(([, name]) => name === field) ?? []
    if (field === 'weight') weight = Number(numberOf(field, value))
    else if (key === undefined) throw unknown(field)
    else
      for (const [path, text] of pairsOf(field, String(value))) {
        const limit = numberOf(field, text)
        const isBytes = key === 'readBytesSec' || key === 'writeBytesSec'
        devices.set(path, { path, ...devices.get(path), [key]: isBytes ? limit : Number(limit) })
      }
  }
  return { ...(weight !== undefined && { weight }), devices: [...devices.values()] }
}

function toParameters(fields: Readonly<Record<string, Field>>, parameters: object): Parameters {
  return Object.entries(parameters).flatMap(([key, value]): TypedParameter[] => {
    const field = Object.hasOwn(fields, key) ? fields[key] : undefined
    if (value === undefined) return []
    if (field === undefined) throw unknown(key)
    return [{ field: field[0], type: field[1], value: value as bigint }]
  })
}

function fromParameters(
  fields: Readonly<Record<string, Field>>,
  parameters: Parameters,
): Record<string, bigint> {
  return Object.fromEntries(
    parameters.map(({ field, value }) => {
      const [key] = Object.entries(fields).find(([, [name]]) => name === field) ?? []
      if (key === undefined) throw unknown(field)
      return [key, numberOf(field, value)]
    }),
  )
}

function pairsOf(field: string, text: string): (readonly [path: string, value: string])[] {
  const words = text === '' ? [] : text.split(',')
  if (words.length % 2 !== 0) throw malformed(field, text)
  return Array.from({ length: words.length / 2 }, (_, index) => [
    words[2 * index] ?? '',
    words[2 * index + 1] ?? '',
  ])
}

/** 64 bits at the most: longer ones would take ever longer to read. */
function numberOf(field: string, value: TypedParameter['value']): bigint {
  if (typeof value === 'bigint') return value
  const text = String(value)
  if (/^-?\d{1,20}$/.test(text)) return BigInt(text)
  throw malformed(field, text)
}

function unknown(field: string): VirError {
  return new VirError('INVALID_ARG', `There is no parameter '${field}' of this kind`, { domain: 'DOM' })
}

function malformed(field: string, text: string): VirError {
  return new VirError('INVALID_ARG', `'${text.slice(0, 100)}' is no value for '${field}'`, { domain: 'DOM' })
}
