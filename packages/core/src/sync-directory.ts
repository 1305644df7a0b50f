import { open } from 'node:fs/promises'

/** Makes the entries of a directory (names added, renamed, removed) survive a loss of power (fsync(2)). */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
