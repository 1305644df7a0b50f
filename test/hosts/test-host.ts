import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { FIXTURES } from '../fixtures/build-cache.js'

export const repository = join(FIXTURES, '../..')

/** A host that programs of this repository can be run on. */
export interface TestHost {
  /** What it is like, for people. */
  readonly about: string
  /** Why there is none here. */
  readonly requires: () => string | undefined
  /** Whether its processor is emulated, where all takes about ten times as long. Default: no. */
  readonly emulated?: boolean
  /** Runs a program in the repository there, with our output; resolves to its exit code. */
  readonly run: (command: readonly string[]) => Promise<number>
}

/** Runs a shell script in a mount namespace of its own, from which nothing gets out; resolves to its exit code. */
export async function inOwnMounts(script: string, parameters: readonly string[]): Promise<number> {
  const guarded = `set -e\nmount --make-rprivate /\n${script}`
  const child = spawn('unshare', ['--mount', 'sh', '-c', guarded, 'sh', ...parameters], {
    cwd: repository,
    stdio: 'inherit',
  })
  const [code] = (await once(child, 'exit')) as [number | null]
  return code ?? 1
}
