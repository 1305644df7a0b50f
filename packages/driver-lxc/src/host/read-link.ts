import { readlinkSync } from 'node:fs'

/** Where a symbolic link leads to, as it is written there; `undefined` where there is none. */
export function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}
