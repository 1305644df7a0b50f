import { rmdir, stat } from 'node:fs/promises'
import { type CallOptions, messageOf, VirError } from '@covirt/core'
import { lxcDriver } from '../lxc-driver.js'
import { extractArchive } from './extract-archive.js'

/**
 * Fills an empty directory with a root file system that there is already: what is in the directory `from`, or in the
 * tar archive `from`. Owners, modes, links and attributes stay what they are.
 */
export async function copyRootfs(from: string, directory: string, options: CallOptions): Promise<void> {
  const source = await stat(from).catch((cause: unknown) => {
    throw new VirError('OPERATION_FAILED', `Cannot read ${from}: ${messageOf(cause)}`, { cause })
  })
  if (!source.isDirectory()) return extractArchive(from, directory, options)
  const { copyTree } = await lxcDriver()
  await rmdir(directory)
  await copyTree(from, directory, options)
}
