import { join } from 'node:path'
import { type Driver, parseConnectUri, silentLogger, systemClock } from '@covirt/core'
import type { Journal, JournalActor, Progress, RunnerParts } from '@covirt/lifecycle'
import { resolveRoot } from '@covirt/local'
import type { Cli } from './cli.js'

/** What a command runs plans with; the journal is to be closed. */
export async function lifecycleParts(
  cli: Cli,
  driver: Driver,
  options: { readonly actor: JournalActor; readonly onProgress?: (progress: Progress) => void },
): Promise<RunnerParts> {
  const { executableHooks, readBootIdentity, SystemProbeIo, systemConditions } = await import(
    '@covirt/lifecycle'
  )
  const place = placeOf(cli.uri)
  return {
    driver,
    clock: systemClock,
    logger: { ...silentLogger, error: (message, fields) => cli.warn(textOf(message, fields)) },
    journal: await openJournal(place?.journal),
    boot: await readBootIdentity(),
    probeIo: new SystemProbeIo(driver, place?.notify ?? '/run/covirt/notify'),
    conditions: systemConditions,
    signal: cli.signal,
    ...(place && { hooks: executableHooks(place.hooks) }),
    ...options,
  }
}

/** Where the journal of a connection is; `undefined` where it keeps none here. */
export function journalDirectory(uri: string): string | undefined {
  return placeOf(uri)?.journal
}

interface Place {
  readonly journal: string
  readonly hooks: string
  readonly notify: string
}

/** Guests that live in this process, or on another host, have no places here. */
function placeOf(text: string): Place | undefined {
  const uri = parseConnectUri(text)
  if (uri.scheme === 'test' || uri.transport !== undefined || uri.host !== undefined) return undefined
  const { stateDirectory, configDirectory, runDirectory } = resolveRoot(uri)
  return {
    journal: join(stateDirectory, 'lifecycle'),
    hooks: join(configDirectory, 'hooks'),
    notify: join(runDirectory, 'notify'),
  }
}

async function openJournal(directory: string | undefined): Promise<Journal> {
  const { FileJournal, MemoryJournal } = await import('@covirt/lifecycle')
  return directory === undefined ? new MemoryJournal() : FileJournal.open({ directory })
}

function textOf(message: string, fields: Readonly<Record<string, unknown>> | undefined): string {
  const error = fields?.error
  return error === undefined ? message : `${message}: ${String(error)}`
}
