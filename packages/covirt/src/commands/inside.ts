import { type AddressSource, addressSources, type GuestProcess, systemClock } from '@covirt/core'
import { type Command, Option } from 'commander'
import type { Cli } from '../cli/cli.js'
import { parseCount, parseSeconds } from '../cli/option-values.js'
import { toJson } from '../cli/output.js'
import { formatTable } from '../cli/table.js'
import { domainArgument, type Select } from './select.js'

/** What looks into guests. */
export function addInsideCommands(program: Command, select: Select): void {
  program
    .command('ps')
    .argument('<domain>', domainArgument)
    .description('the processes of a guest')
    .action((name: string) =>
      select(async (cli) => {
        const domain = await cli.domain(name)
        const processes = await domain.listProcesses(cli)
        cli.result({ json: processes, text: formatTable(psHeader, processes.map(psRow)) })
      }),
    )
  program
    .command('top')
    .argument('<domain>', domainArgument)
    .description('the processes of a guest that use most processor time, again and again until ^C')
    .option('--delay <seconds>', 'how long between two looks', parseSeconds, 2)
    .option('--count <number>', 'how many times to show them (default: until ^C)', parseCount)
    .action((name: string, flags: TopFlags) => select((cli) => top(cli, name, flags)))
  program
    .command('cp')
    .argument('<from>', 'PATH of this host or DOMAIN:PATH')
    .argument('<to>', 'DOMAIN:PATH or PATH of this host')
    .description('copy files into a guest or out of it, whether or not it runs')
    .option('-r, --recursive', 'directories with all that is in them; links are left out on the way out')
    .addHelpText(
      'after',
      '\nExamples:\n  covirt cp site.conf web:/etc/site.conf\n  covirt cp -r web:/var/log logs\n',
    )
    .action((from: string, to: string, flags: { readonly recursive?: boolean }) =>
      select(async (cli) => {
        const { copyFiles, parseCopyPlace } = await import('../cli/copy-files.js')
        const places = [parseCopyPlace(from), parseCopyPlace(to)] as const
        const files = await copyFiles(cli, ...places, { recursive: flags.recursive ?? false })
        cli.result({ json: { files }, text: '' })
      }),
    )
  program
    .command('domifaddr')
    .argument('<domain>', domainArgument)
    .description("the addresses of a guest's interfaces")
    .addOption(new Option('--source <source>', 'whom to ask').choices(addressSources))
    .action((name: string, { source }: { source?: AddressSource }) =>
      select(async (cli) => {
        const domain = await cli.domain(name)
        const interfaces = await domain.listInterfaceAddresses({ source, signal: cli.signal })
        const rows = interfaces.flatMap(({ name: link, mac = '-', addresses }) =>
          addresses.length === 0
            ? [[link, mac, '-', '-']]
            : addresses.map(({ family, address, prefix }) => [link, mac, family, `${address}/${prefix}`]),
        )
        cli.result({
          json: interfaces,
          text: formatTable(['Name', 'MAC address', 'Protocol', 'Address'], rows),
        })
      }),
    )
}

interface TopFlags {
  /** In seconds. */
  readonly delay: number
  readonly count?: number
}

const psHeader = ['PID', 'Host PID', 'Memory', 'CPU time', 'Command']

function psRow(process: GuestProcess): string[] {
  const { innerPid, pid, memoryKib, cpuTimeNs } = process
  return [
    String(innerPid),
    pid === undefined ? '-' : String(pid),
    `${memoryKib} KiB`,
    `${(Number(cpuTimeNs / 10_000_000n) / 100).toFixed(2)}s`,
    commandOf(process),
  ]
}

function commandOf({ name, argv }: GuestProcess): string {
  return argv.length === 0 ? `[${name}]` : argv.join(' ')
}

async function top(
  cli: Cli,
  name: string,
  { delay, count = Number.POSITIVE_INFINITY }: TopFlags,
): Promise<void> {
  const domain = await cli.domain(name)
  const signal = AbortSignal.any([cli.signal, cli.output.closed])
  const clear = cli.stdout.isTTY === true && !cli.output.json ? '\x1b[H\x1b[2J' : ''
  let before = new Map<number, bigint>()
  let beforeMs = performance.now()
  for (let round = 0; round < count; round++) {
    if (round > 0) await systemClock.sleep(delay * 1000, { signal })
    const processes = await domain.listProcesses({ signal })
    const nowMs = performance.now()
    const busy = processes.map((each) => {
      const since = before.get(each.innerPid)
      const usedMs = since === undefined ? 0 : Number(each.cpuTimeNs - since) / 1e6
      return { ...each, cpuPercent: Math.round((1000 * usedMs) / (nowMs - beforeMs)) / 10 }
    })
    busy.sort((a, b) => b.cpuPercent - a.cpuPercent || b.memoryKib - a.memoryKib)
    before = new Map(processes.map(({ innerPid, cpuTimeNs }) => [innerPid, cpuTimeNs]))
    beforeMs = nowMs
    const rows = busy.map((each) => [`${each.cpuPercent.toFixed(1)}`, ...psRow(each)])
    const shown = clear === '' ? rows : rows.slice(0, Math.max(1, (cli.stdout.rows ?? 24) - 4))
    cli.output.write(
      cli.output.json ? `${toJson(busy)}\n` : `${clear}${formatTable(['CPU %', ...psHeader], shown)}`,
    )
  }
}
