import { cloneContainer } from '../clone-container.js'
import type { Cli } from './cli.js'
import { finish } from './create-container.js'
import { startProgress } from './progress.js'

/** What `clone` is told. */
export interface CloneFlags {
  readonly start?: boolean
  readonly linked?: boolean
}

/** Clones a container, and starts the clone if so asked. */
export async function clone(cli: Cli, source: string, name: string, flags: CloneFlags): Promise<void> {
  const connection = await cli.connection()
  const domain = await cli.domain(source)
  const progress = startProgress(cli, `Copying '${domain.name}'`)
  const made = await cloneContainer(connection, domain, name, {
    linked: flags.linked,
    signal: cli.signal,
    onWarning: (message) => cli.warn(message),
  }).finally(() => progress.end())
  await finish(cli, made, flags)
}
