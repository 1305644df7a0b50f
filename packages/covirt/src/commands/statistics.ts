import {
  type BlockStatistics,
  type Domain,
  type DomainStatistics,
  domainStateNames,
  type InterfaceStatistics,
  isActive,
  type MemoryStatistics,
  VirError,
} from '@covirt/core'
import type { Command } from 'commander'
import type { Cli } from '../cli/cli.js'
import { formatFields } from '../cli/table.js'
import { domainArgument, type Select } from './select.js'

type Figures = readonly (readonly [name: string, value: bigint | number | string | undefined])[]

/** libvirt's numbers of the states of processors (virVcpuState). */
const vcpuStates = ['offline', 'running', 'blocked'] as const

/** `domblkstat`, `domblkinfo`, `domifstat`, `dommemstat`, `vcpuinfo`, `domstats`. */
export function addStatisticsCommands(program: Command, select: Select): void {
  const command = (name: string, description: string) =>
    program.command(name).argument('<domain>', domainArgument).description(description)
  command('domblkstat', 'what a disk of a guest has been used for')
    .argument('[device]', 'target of the disk, such as vda (default: the first)')
    .action((name: string, device: string | undefined) =>
      select((cli) => tellBlock(cli, name, device, blockFigures)),
    )
  command('domblkinfo', 'how big a disk of a guest is')
    .argument('[device]', 'target of the disk, such as vda (default: the first)')
    .action((name: string, device: string | undefined) => select((cli) => tellBlockSize(cli, name, device)))
  command('domifstat', 'what a network interface of a guest has been used for')
    .argument('<interface>', 'its name on the host, such as vnet0')
    .action((name: string, device: string) =>
      select(async (cli) => {
        const { domain, interfaces = [] } = await statisticsOf(cli, name, 'interfaces')
        const found = interfaces.find(({ target }) => target === device)
        if (!found) throw noDevice(domain, device, interfaces)
        tell(cli, domain, found, prefixed(device, interfaceFigures(found)))
      }),
    )
  command('dommemstat', 'what memory a guest has and uses, in KiB').action((name: string) =>
    select(async (cli) => {
      const { domain, memory } = await statisticsOf(cli, name, 'memory')
      tell(cli, domain, memory ?? {}, memory ? memoryFigures(memory) : [])
    }),
  )
  command('vcpuinfo', 'the processors of a guest').action((name: string) =>
    select(async (cli) => {
      const { domain, vcpus = [] } = await statisticsOf(cli, name, 'vcpus')
      const blocks = vcpus.map(({ number, state, timeNs, hostCpu }) =>
        formatFields([
          ['VCPU', number],
          ['CPU', hostCpu ?? '-'],
          ['State', state],
          ['CPU time', `${(Number(timeNs / 1_000_000n) / 1000).toFixed(1)}s`],
        ]),
      )
      cli.result({ json: { ...domain.ref, vcpus }, text: blocks.join('\n') })
    }),
  )
  program
    .command('domstats')
    .argument('[domains...]', `${domainArgument} (default: all that are active)`)
    .description('all that is counted of guests')
    .action((names: readonly string[]) => select((cli) => tellAll(cli, names)))
}

async function statisticsOf(cli: Cli, name: string, part: keyof DomainStatistics) {
  const domain = await cli.domain(name)
  return { domain, ...(await domain.statistics({ parts: [part], signal: cli.signal })) }
}

async function findBlock(cli: Cli, name: string, device: string | undefined) {
  const { domain, blocks = [] } = await statisticsOf(cli, name, 'blocks')
  const block =
    device === undefined ? blocks[0] : blocks.find(({ target, path }) => [target, path].includes(device))
  if (!block) throw noDevice(domain, device ?? 'at all', blocks)
  return { domain, block }
}

async function tellBlock(
  cli: Cli,
  name: string,
  device: string | undefined,
  figures: (block: BlockStatistics) => Figures,
): Promise<void> {
  const { domain, block } = await findBlock(cli, name, device)
  tell(cli, domain, block, prefixed(block.target, figures(block)))
}

async function tellBlockSize(cli: Cli, name: string, device: string | undefined): Promise<void> {
  const { domain, block } = await findBlock(cli, name, device)
  const size = (bytes: bigint | undefined) => (bytes === undefined ? '-' : String(bytes))
  const text = formatFields([
    ['Capacity', size(block.capacityBytes)],
    ['Allocation', size(block.allocationBytes)],
    ['Physical', size(block.physicalBytes)],
  ])
  cli.result({ json: { ...domain.ref, ...block }, text })
}

async function tellAll(cli: Cli, names: readonly string[]): Promise<void> {
  const { domains } = await cli.connection()
  const found = names.length > 0 ? await Promise.all(names.map((name) => cli.domain(name))) : undefined
  const told: { readonly json: unknown; readonly text: string }[] = []
  for (const domain of found ?? (await domains.list({ active: true }, cli))) {
    const info = await domain.info(cli)
    const statistics = isActive(info.state) ? await domain.statistics(cli) : {}
    const figures: Figures = [
      ['state.state', domainStateNames.indexOf(info.state.state)],
      ['cpu.time', info.cpuTimeNs],
      ['balloon.maximum', info.maxMemoryKib],
      ...allFigures(statistics),
    ]
    const lines = known(figures).map(([figure, value]) => `  ${figure}=${value}\n`)
    told.push({
      json: { ...domain.ref, ...info, ...statistics },
      text: `Domain: '${domain.name}'\n${lines.join('')}`,
    })
  }
  cli.result({ json: told.map(({ json }) => json), text: told.map(({ text }) => text).join('\n') })
}

function allFigures({ memory, vcpus = [], interfaces = [], blocks = [] }: DomainStatistics): Figures {
  const dotted = (prefix: string, figures: Figures): Figures =>
    figures.map(([name, value]) => [`${prefix}.${name.replace('_', '.')}`, value])
  return [
    ...(memory ? balloonFigures(memory) : []),
    ['vcpu.current', vcpus.length],
    ...vcpus.flatMap(
      ({ number, state, timeNs }): Figures => [
        [`vcpu.${number}.state`, vcpuStates.indexOf(state)],
        [`vcpu.${number}.time`, timeNs],
      ],
    ),
    ['net.count', interfaces.length],
    ...interfaces.flatMap(
      (each, index): Figures => [
        [`net.${index}.name`, each.target],
        ...dotted(`net.${index}`, interfaceFigures(each)),
      ],
    ),
    ['block.count', blocks.length],
    ...blocks.flatMap(
      (each, index): Figures => [
        [`block.${index}.name`, each.target],
        [`block.${index}.path`, each.path],
        [`block.${index}.rd.reqs`, each.readRequests],
        [`block.${index}.rd.bytes`, each.readBytes],
        [`block.${index}.rd.times`, each.readTimeNs],
        [`block.${index}.wr.reqs`, each.writeRequests],
        [`block.${index}.wr.bytes`, each.writeBytes],
        [`block.${index}.wr.times`, each.writeTimeNs],
        [`block.${index}.fl.reqs`, each.flushRequests],
        [`block.${index}.fl.times`, each.flushTimeNs],
        [`block.${index}.allocation`, each.allocationBytes],
        [`block.${index}.capacity`, each.capacityBytes],
        [`block.${index}.physical`, each.physicalBytes],
      ],
    ),
  ]
}

function blockFigures(block: BlockStatistics): Figures {
  return [
    ['rd_req', block.readRequests],
    ['rd_bytes', block.readBytes],
    ['wr_req', block.writeRequests],
    ['wr_bytes', block.writeBytes],
    ['flush_operations', block.flushRequests],
    ['rd_total_times', block.readTimeNs],
    ['wr_total_times', block.writeTimeNs],
    ['flush_total_times', block.flushTimeNs],
  ]
}

function interfaceFigures(each: InterfaceStatistics): Figures {
  return [
    ['rx_bytes', each.receivedBytes],
    ['rx_packets', each.receivedPackets],
    ['rx_errs', each.receivedErrors],
    ['rx_drop', each.receivedDropped],
    ['tx_bytes', each.sentBytes],
    ['tx_packets', each.sentPackets],
    ['tx_errs', each.sentErrors],
    ['tx_drop', each.sentDropped],
  ]
}

function memoryFigures(memory: MemoryStatistics): Figures {
  return [
    ['actual', memory.actualKib],
    ['swap_in', memory.swappedInKib],
    ['swap_out', memory.swappedOutKib],
    ['major_fault', memory.majorFaults],
    ['minor_fault', memory.minorFaults],
    ['unused', memory.unusedKib],
    ['available', memory.availableKib],
    ['usable', memory.usableKib],
    ['last_update', memory.updatedAt],
    ['disk_caches', memory.diskCachesKib],
    ['rss', memory.residentKib],
  ]
}

/** As `dommemstat`, but for one name. */
function balloonFigures(memory: MemoryStatistics): Figures {
  return memoryFigures(memory).map(([name, value]) => [
    `balloon.${name === 'actual' ? 'current' : name}`,
    value,
  ])
}

function prefixed(prefix: string, figures: Figures): Figures {
  return figures.map(([name, value]) => [`${prefix} ${name}`, value])
}

function known(figures: Figures): Figures {
  return figures.filter(([, value]) => value !== undefined)
}

function tell(cli: Cli, domain: Domain, json: object, figures: Figures): void {
  const lines = known(figures).map(([name, value]) => `${name} ${value}\n`)
  cli.result({ json: { ...domain.ref, ...json }, text: lines.join('') })
}

function noDevice(domain: Domain, device: string, there: readonly { readonly target: string }[]): VirError {
  return new VirError('INVALID_ARG', `Domain '${domain.name}' has no such device: ${device}`, {
    domain: 'DOM',
    hint: `It has: ${there.map(({ target }) => target).join(', ') || 'none'}`,
  })
}
