import { type Driver, isVirError, type RoleName, roleNames } from '@covirt/core'
import type { DriverStatus, HostDriver } from '@covirt/driver-host'
import type { Command } from 'commander'
import type { Cli } from '../cli/cli.js'
import { formatFields, formatTable } from '../cli/table.js'
import type { Select } from './select.js'

/** What tells about the connection and its host. */
export function addHostCommands(program: Command, select: Select): void {
  const command = (name: string, description: string, task: (cli: Cli) => Promise<void>) =>
    program
      .command(name)
      .description(description)
      .action(() => select(task))
  command('nodeinfo', 'what this host has', nodeInfo)
  command('capabilities', 'the host and the guests it can run, as XML', async (cli) => {
    const xml = await (await cli.connection()).capabilities(cli)
    cli.result({ json: { xml }, text: xml.endsWith('\n') ? xml : `${xml}\n` })
  })
  command('uri', 'the URI of the connection', async (cli) => {
    const { uri } = await cli.connection()
    cli.result({ json: { uri }, text: `${uri}\n` })
  })
  command('hostname', 'the name of the host', async (cli) => {
    const hostname = await (await cli.connection()).hostname(cli)
    cli.result({ json: { hostname }, text: `${hostname}\n` })
  })
  command('version', 'the versions of covirt and of what runs the guests', async (cli) => {
    const version = await (await cli.connection()).version(cli)
    const fields = [['covirt', version.library], ...Object.entries(version.hypervisors)] as const
    cli.result({ json: version, text: formatFields(fields.map(([name = '', value = '']) => [name, value])) })
  })
  command('drivers', 'the drivers of the connection, and why some cannot be used', drivers)
}

async function nodeInfo(cli: Cli): Promise<void> {
  const info = await (await cli.connection()).nodeInfo(cli)
  const text = formatFields([
    ['CPU model', info.model],
    ['CPU(s)', info.cpus],
    ['CPU frequency', `${info.mhz} MHz`],
    ['CPU socket(s)', info.sockets],
    ['Core(s) per socket', info.cores],
    ['Thread(s) per core', info.threads],
    ['NUMA cell(s)', info.nodes],
    ['Memory size', `${info.memoryKib} KiB`],
  ])
  cli.result({ json: info, text })
}

async function drivers(cli: Cli): Promise<void> {
  const statuses = await statusesOf(cli)
  const { green, red } = cli.output.colour
  const rows = statuses.map((status) =>
    status.available
      ? [status.scheme, { text: 'yes', paint: green }, status.domainTypes.join(', '), about(status)]
      : [status.scheme, { text: 'no', paint: red }, status.domainTypes.join(', '), status.reason],
  )
  cli.result({ json: statuses, text: formatTable(['Driver', 'Usable', 'Types', 'Details'], rows) })
}

/** Also where no driver can be used: that is an answer here. */
async function statusesOf(cli: Cli): Promise<readonly DriverStatus[]> {
  try {
    const { driver } = await cli.connection()
    return isHostDriver(driver) ? driver.drivers() : [await statusOf(driver, cli)]
  } catch (error) {
    if (!isVirError(error, 'NO_CONNECT')) throw error
    const { unusableDriversOf } = await import('@covirt/driver-host')
    const statuses = unusableDriversOf(error)
    if (!statuses) throw error
    return statuses
  }
}

async function statusOf(driver: Driver, cli: Cli): Promise<DriverStatus & { readonly available: true }> {
  const { hypervisors } = await driver.getVersion(cli)
  const roles: readonly RoleName[] = roleNames.filter((role) => driver[role] !== undefined)
  const scheme = driver.uri.slice(0, driver.uri.indexOf(':'))
  return { scheme, domainTypes: [], available: true, type: driver.type, uri: driver.uri, roles, hypervisors }
}

function about({ hypervisors, roles }: DriverStatus & { readonly available: true }): string {
  const versions = Object.entries(hypervisors).map(([name, version]) => `${name} ${version}`)
  return [...versions, roles.length > 0 ? `roles: ${roles.join(', ')}` : 'no roles'].join('; ')
}

function isHostDriver(driver: Driver): driver is HostDriver {
  return 'drivers' in driver
}
