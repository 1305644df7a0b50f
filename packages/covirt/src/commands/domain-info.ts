import { type DomainStats, isVirError } from '@covirt/core'
import type { Command } from 'commander'
import type { Cli } from '../cli/cli.js'
import { stateText } from '../cli/state-text.js'
import { formatFields } from '../cli/table.js'
import { domainArgument, type Select } from './select.js'

/** What tells about one domain. */
export function addDomainInfoCommands(program: Command, select: Select): void {
  const command = (name: string, description: string) =>
    program.command(name).argument('<domain>', domainArgument).description(description)
  command('dominfo', 'what a domain is and uses').action((name: string) =>
    select((cli) => domInfo(cli, name)),
  )
  command('domstate', 'the state of a domain')
    .option('--reason', 'and why it is in it')
    .action((name: string, flags: { reason?: boolean }) => select((cli) => domState(cli, name, flags)))
  command('domid', 'the id of a domain; - where it is off').action((name: string) =>
    select(async (cli) => {
      const domain = await cli.domain(name)
      const id = await domain.id(cli)
      cli.result({ json: { ...domain.ref, ...(id === undefined ? {} : { id }) }, text: `${id ?? '-'}\n` })
    }),
  )
  command('domuuid', 'the uuid of a domain').action((name: string) =>
    select(async (cli) => {
      const { ref } = await cli.domain(name)
      cli.result({ json: ref, text: `${ref.uuid}\n` })
    }),
  )
  command('domname', 'the name of a domain').action((name: string) =>
    select(async (cli) => {
      const { ref } = await cli.domain(name)
      cli.result({ json: ref, text: `${ref.name}\n` })
    }),
  )
}

async function domState(cli: Cli, text: string, { reason }: { readonly reason?: boolean }): Promise<void> {
  const domain = await cli.domain(text)
  const state = await domain.state(cli)
  const words = reason ? `${stateText(state)} (${state.reason.replaceAll('-', ' ')})` : stateText(state)
  cli.result({ json: { ...domain.ref, ...state }, text: `${words}\n` })
}

async function domInfo(cli: Cli, text: string): Promise<void> {
  const domain = await cli.domain(text)
  const { driver } = await cli.connection()
  const [info, id, persistent, autostart, managedSave] = await Promise.all([
    domain.info(cli),
    domain.id(cli),
    domain.isPersistent(cli),
    domain.getAutostart(cli),
    driver.savedState ? orUnsupported(domain.hasManagedSave(cli)) : undefined,
  ])
  const { state, ...usage } = info
  const json = {
    ...domain.ref,
    ...(id === undefined ? {} : { id }),
    ...state,
    ...usage,
    persistent,
    autostart,
    ...(managedSave === undefined ? {} : { managedSave }),
  }
  const fields = formatFields([
    ['Id', id ?? '-'],
    ['Name', domain.name],
    ['UUID', domain.uuid],
    ['State', stateText(state)],
    ['CPU(s)', info.vcpus],
    ['CPU time', seconds(info.cpuTimeNs)],
    ['Max memory', `${info.maxMemoryKib} KiB`],
    ['Used memory', `${info.memoryKib} KiB`],
    ['Persistent', persistent ? 'yes' : 'no'],
    ['Autostart', autostart ? 'enable' : 'disable'],
    ...(managedSave === undefined ? [] : [['Managed save', managedSave ? 'yes' : 'no'] as const]),
  ])
  cli.result({ json, text: fields })
}

/** A connection to several drivers has roles that the domain's own may lack. */
async function orUnsupported<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (isVirError(error, 'NO_SUPPORT')) return undefined
    throw error
  }
}

function seconds(ns: DomainStats['cpuTimeNs']): string {
  return `${(Number(ns / 1_000_000n) / 1000).toFixed(1)}s`
}
