import {
  type BlkioDevice,
  type BlkioParameters,
  type ChangeOptions,
  type Domain,
  type MemoryParameters,
  type SchedulerParameters,
  unlimitedMemoryKib,
} from '@covirt/core'
import type { Command } from 'commander'
import type { Cli } from '../cli/cli.js'
import {
  parseCount,
  parseDeviceLimits,
  parseInteger,
  parseMemoryKib,
  parseMemoryLimitKib,
} from '../cli/option-values.js'
import { formatFields } from '../cli/table.js'
import { type ChangeFlags, changed, withChangeFlags } from './devices.js'
import { domainArgument, type Select } from './select.js'

/** libvirt's names of what is also an option here. */
const schedulerOptions = [
  ['cpu_shares', 'shares', '--shares <number>', 'its weight among others; 1024 where nothing is said'],
  ['vcpu_period', 'periodUs', '--period <us>', 'how long a period is, in microseconds'],
  ['vcpu_quota', 'quotaUs', '--quota <us>', 'how much of each period it has; -1 is all of it'],
] as const
const memoryOptions = [
  [
    'hard_limit',
    'hardLimitKib',
    '--hard-limit <size>',
    'how much memory it may take; -1 is as much as it has',
  ],
  ['soft_limit', 'softLimitKib', '--soft-limit <size>', 'and when the host runs short'],
  ['swap_hard_limit', 'swapHardLimitKib', '--swap-hard-limit <size>', 'and together with swap'],
] as const
const deviceOptions = [
  ['device_weight', 'weight', '--device-weights <list>'],
  ['device_read_iops_sec', 'readIopsSec', '--device-read-iops-sec <list>'],
  ['device_write_iops_sec', 'writeIopsSec', '--device-write-iops-sec <list>'],
  ['device_read_bytes_sec', 'readBytesSec', '--device-read-bytes-sec <list>'],
  ['device_write_bytes_sec', 'writeBytesSec', '--device-write-bytes-sec <list>'],
] as const

interface SchedulerFlags extends ChangeFlags {
  readonly shares?: bigint
  readonly period?: bigint
  readonly quota?: bigint
}

interface MemoryFlags extends ChangeFlags {
  readonly hardLimit?: bigint
  readonly softLimit?: bigint
  readonly swapHardLimit?: bigint
}

type Limits = readonly (readonly [path: string, value: bigint])[]

interface BlkioFlags extends ChangeFlags {
  readonly weight?: bigint
  readonly deviceWeights?: Limits
  readonly deviceReadIopsSec?: Limits
  readonly deviceWriteIopsSec?: Limits
  readonly deviceReadBytesSec?: Limits
  readonly deviceWriteBytesSec?: Limits
}

/** `setmem`, `setmaxmem`, `setvcpus`, `vcpucount`, `schedinfo`, `memtune`, `blkiotune`. */
export function addTuningCommands(program: Command, select: Select): void {
  const command = (name: string, description: string) =>
    withChangeFlags(program.command(name).argument('<domain>', domainArgument).description(description))
  const set = (
    name: string,
    change: (domain: Domain, options: ChangeOptions) => Promise<void>,
    flags: ChangeFlags,
  ) =>
    select((cli) =>
      changed(cli, name, 'was changed', (domain) =>
        change(domain, { live: flags.live, config: flags.config, signal: cli.signal }),
      ),
    )
  command('setmem', 'how much memory a domain has')
    .argument('<size>', 'such as 512M; a number alone is KiB', parseMemoryKib)
    .action((name: string, kib: number, flags: ChangeFlags) =>
      set(name, (domain, options) => domain.setMemory(kib, options), flags),
    )
  command('setmaxmem', 'how much memory a domain can have')
    .argument('<size>', 'such as 512M; a number alone is KiB', parseMemoryKib)
    .action((name: string, kib: number, flags: ChangeFlags) =>
      set(name, (domain, options) => domain.setMaxMemory(kib, options), flags),
    )
  command('setvcpus', 'how many processors a domain has')
    .argument('<count>', 'from 1', parseCount)
    .option('--maximum', 'how many it can have, instead')
    .action((name: string, count: number, flags: ChangeFlags & { maximum?: boolean }) =>
      set(name, (domain, options) => domain.setVcpus(count, { ...options, maximum: flags.maximum }), flags),
    )
  command('vcpucount', 'how many processors a domain has')
    .option('--maximum', 'how many it can have, instead')
    .action((name: string, flags: ChangeFlags & { maximum?: boolean }) =>
      select(async (cli) => {
        const domain = await cli.domain(name)
        const count = await domain.getVcpus({ ...flags, signal: cli.signal })
        cli.result({ json: { ...domain.ref, count }, text: `${count}\n` })
      }),
    )
  const scheduler = command('schedinfo', 'how a domain shares the processors of the host with others')
  for (const [, , flags, description] of schedulerOptions) scheduler.option(flags, description, parseInteger)
  scheduler.action((name: string, { shares, period, quota, ...flags }: SchedulerFlags) =>
    select((cli) => schedule(cli, name, { shares, periodUs: period, quotaUs: quota }, flags)),
  )
  const memory = command('memtune', 'how much memory of the host a domain may take')
  for (const [, , flags, description] of memoryOptions) memory.option(flags, description, parseMemoryLimitKib)
  memory.action((name: string, { hardLimit, softLimit, swapHardLimit, ...flags }: MemoryFlags) => {
    const parameters = { hardLimitKib: hardLimit, softLimitKib: softLimit, swapHardLimitKib: swapHardLimit }
    select((cli) => tuneMemory(cli, name, parameters, flags))
  })
  const blkio = command('blkiotune', 'how a domain shares the disks of the host with others')
    .option('--weight <number>', '10 to 1000; 0 is that of all', parseInteger)
    .addHelpText('after', '\nA list is such as /dev/sda,1000,/dev/sdb,500; 0 is no limit.\n')
  for (const [field, , flags] of deviceOptions)
    blkio.option(flags, `${field.replaceAll('_', ' ')} of devices`, parseDeviceLimits)
  blkio.action((name: string, flags: BlkioFlags) =>
    select((cli) => tuneBlkio(cli, name, blkioOf(flags), { live: flags.live, config: flags.config })),
  )
}

async function schedule(
  cli: Cli,
  name: string,
  parameters: SchedulerParameters,
  flags: ChangeFlags,
): Promise<void> {
  const domain = await cli.domain(name)
  const options = { ...flags, signal: cli.signal }
  if (isSaid(parameters)) await domain.setSchedulerParameters(parameters, options)
  const found = await domain.getSchedulerParameters(shown(options))
  const fields = schedulerOptions.flatMap(([field, key]) => fieldOf(field, found[key]))
  cli.result({ json: { ...domain.ref, ...found }, text: formatFields(fields) })
}

async function tuneMemory(
  cli: Cli,
  name: string,
  parameters: MemoryParameters,
  flags: ChangeFlags,
): Promise<void> {
  const domain = await cli.domain(name)
  const options = { ...flags, signal: cli.signal }
  if (isSaid(parameters)) await domain.setMemoryParameters(parameters, options)
  const found = await domain.getMemoryParameters(shown(options))
  const fields = memoryOptions.flatMap(([field, key]) => {
    const kib = found[key]
    return fieldOf(field, kib !== undefined && kib >= unlimitedMemoryKib ? 'unlimited' : kib)
  })
  cli.result({ json: { ...domain.ref, ...found }, text: formatFields(fields) })
}

async function tuneBlkio(
  cli: Cli,
  name: string,
  parameters: BlkioParameters,
  flags: ChangeFlags,
): Promise<void> {
  const domain = await cli.domain(name)
  const options = { ...flags, signal: cli.signal }
  if (isSaid(parameters)) await domain.setBlkioParameters(parameters, options)
  const found = await domain.getBlkioParameters(shown(options))
  const fields = deviceOptions.map(([field, key]) => {
    const words = (found.devices ?? []).flatMap((device) =>
      device[key] === undefined ? [] : `${device.path},${device[key]}`,
    )
    return [field, words.join(',')] as const
  })
  cli.result({
    json: { ...domain.ref, ...found },
    text: formatFields([...fieldOf('weight', found.weight), ...fields]),
  })
}

function blkioOf(flags: BlkioFlags): BlkioParameters {
  const devices = new Map<string, BlkioDevice>()
  const add = (
    key: keyof BlkioDevice,
    limits: Limits | undefined,
    convert: (value: bigint) => bigint | number,
  ) => {
    for (const [path, value] of limits ?? [])
      devices.set(path, { path, ...devices.get(path), [key]: convert(value) })
  }
  add('weight', flags.deviceWeights, Number)
  add('readIopsSec', flags.deviceReadIopsSec, Number)
  add('writeIopsSec', flags.deviceWriteIopsSec, Number)
  add('readBytesSec', flags.deviceReadBytesSec, (value) => value)
  add('writeBytesSec', flags.deviceWriteBytesSec, (value) => value)
  return {
    ...(flags.weight !== undefined && { weight: Number(flags.weight) }),
    ...(devices.size > 0 && { devices: [...devices.values()] }),
  }
}

function isSaid(parameters: object): boolean {
  return Object.values(parameters).some((value) => value !== undefined)
}

/** Of two documents that have been changed together, that of the guest is shown. */
function shown({ live, config, signal }: ChangeOptions): ChangeOptions {
  return { live, config: config && !live, signal }
}

function fieldOf(name: string, value: bigint | number | string | undefined): (readonly [string, string])[] {
  return value === undefined ? [] : [[name, String(value)]]
}
