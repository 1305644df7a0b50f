import { existsSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'

/** A file in the directory of a container, which goes with the definition of the domain whose uuid is its content. */
export const leavingName = 'leaving'

/** What the directory of a container is called once its definition has gone: no container can be called so. */
export const leftPrefix = '.left-'

/**
 * The containers in `parent` whose removal was begun. Found on the spot: hardly ever is there one, and everybody who opens a
 * connection asks.
 */
export function leavingDirectories(parent: string): string[] {
  if (!existsSync(parent)) return []
  try {
    return readdirSync(parent)
      .map((name) => join(parent, name))
      .filter((directory) => isLeft(directory) || existsSync(join(directory, leavingName)))
  } catch {
    // Another user's.
    return []
  }
}

/** Whether its definition has gone. */
export function isLeft(directory: string): boolean {
  return basename(directory).startsWith(leftPrefix)
}
