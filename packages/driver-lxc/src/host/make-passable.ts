import { chmodSync, existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes a directory, and those above it that are missing, which anybody may go through and only its owner may read: also where
 * the umask of this process would take that from others. What is there stays as it is.
 */
export function makePassable(directory: string): void {
  if (existsSync(directory)) return
  makePassable(dirname(directory))
  mkdirSync(directory, { recursive: true })
  chmodSync(directory, 0o711)
}
