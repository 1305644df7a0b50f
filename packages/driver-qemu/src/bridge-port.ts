import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { type CallOptions, throwIfAborted, VirError } from '@covirt/core'
import type { Tap } from './command-line/interfaces.js'

const run = promisify(execFile)

/** Puts a link that QEMU has made into its bridge. */
export async function plugIntoBridge({ name, bridge }: Tap, { signal }: CallOptions): Promise<void> {
  try {
    await run('ip', ['link', 'set', 'dev', name, 'up', 'master', bridge], { signal })
  } catch (error) {
    throwIfAborted(signal)
    throw new VirError('OPERATION_FAILED', `'${name}' could not be put into the bridge '${bridge}'`, {
      domain: 'QEMU',
      cause: error,
      hint: `Is there a bridge '${bridge}'? 'ip link show type bridge' lists them`,
    })
  }
}
