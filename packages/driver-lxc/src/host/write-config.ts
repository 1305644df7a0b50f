import { mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { GuestPlaces } from '@covirt/local'
import type { DomainXml } from '@covirt/xml'
import { type ConfigContext, consoleLogBytes, toLiblxcConfig } from '../config/liblxc-config.js'
import { seccompProfile } from '../config/seccomp.js'
import type { Container } from '../native.js'
import { controlGroupsOf } from './control-groups.js'

/**
 * Writes the configuration of a container, generated anew from the live document at each launch; complete before it has its
 * name. On the spot, as statuses are: a small file on a local disk is written in less time than a turn of the thread pool takes.
 */
export function writeConfig(
  container: Container,
  {
    document,
    consoleLog,
    ...context
  }: Omit<ConfigContext, 'groups' | 'seccompFile'> & { readonly document: DomainXml },
): void {
  if (wantsNewLog(document)) writeFileSync(consoleLog, '', { mode: 0o600 })
  else rotateOversized(consoleLog)
  const directory = join(container.path, container.name)
  const seccompFile = join(directory, 'seccomp')
  const groups = controlGroupsOf(container)
  const config = toLiblxcConfig(document, { ...context, groups, consoleLog, seccompFile })
  mkdirSync(directory, { recursive: true, mode: 0o711 })
  writeFileSync(seccompFile, seccompProfile(document), { mode: 0o600 })
  const unfinished = join(directory, 'config.new')
  writeFileSync(unfinished, config, { mode: 0o600 })
  renameSync(unfinished, join(directory, 'config'))
}

/** Where liblxc's monitor writes what the console prints. */
export function consoleLogOf({ devices }: DomainXml, { logFile }: Pick<GuestPlaces, 'logFile'>): string {
  return devices.consoles[0]?.log?.file ?? logFile
}

/** A log that the definition names begins anew at each start, unless it says `append`. */
function wantsNewLog({ devices }: DomainXml): boolean {
  const log = devices.consoles[0]?.log
  return log?.file !== undefined && log.append !== true
}

/** liblxc keeps a log from growing above its limit, but goes wrong with one that is above it already. */
function rotateOversized(logFile: string): void {
  const size = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0
  if (size > consoleLogBytes) renameSync(logFile, `${logFile}.1`)
}
