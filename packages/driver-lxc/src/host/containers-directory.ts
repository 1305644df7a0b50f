import { createHash } from 'node:crypto'
import {
  mkdirSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { messageOf, VirError } from '@covirt/core'

const anybodyMayEnter = 0o001
const noteSuffix = '.root'

/**
 * Where a root has the configurations of its containers. liblxc looks at it as a container's user, who has to get there:
 * it is `own`, where anybody may go through all directories above, else a directory in `shared` that `own` becomes a
 * link to. What roots have there that are gone is removed.
 *
 * @param own an absolute path in the root
 * @param shared a directory for all roots of the host, which anybody can reach; made where it is missing
 */
export function prepareContainersDirectory(own: string, shared: string): string {
  const parent = dirname(own)
  mkdirSync(parent, { recursive: true, mode: 0o711 })
  const path = join(realpathSync(parent), basename(own))
  const link = readLink(path)
  if (link === undefined && (isReachable(dirname(path)) || !isFree(path))) {
    mkdirSync(path, { recursive: true, mode: 0o711 })
    return path
  }
  const elsewhere = join(shared, createHash('sha256').update(path).digest('hex').slice(0, 16))
  makeElsewhere(elsewhere, dirname(path))
  sweep(shared)
  // That of a root which this one is a copy of stays that one's.
  if (link !== elsewhere) {
    rmSync(path, { recursive: true, force: true })
    symlinkSync(elsewhere, path)
    rmSync(`${elsewhere}${noteSuffix}`, { force: true })
    symlinkSync(path, `${elsewhere}${noteSuffix}`)
  }
  return elsewhere
}

function makeElsewhere(elsewhere: string, closed: string): void {
  try {
    mkdirSync(elsewhere, { recursive: true, mode: 0o711 })
  } catch (cause) {
    throw new VirError(
      'NO_CONNECT',
      `Containers cannot be kept in ${closed}, nor elsewhere: ${messageOf(cause)}`,
      {
        domain: 'LXC',
        hint: 'Their users have to get there: let others go through all directories above (chmod a+x)',
        cause,
      },
    )
  }
}

/** A directory and all above it let anybody through. */
function isReachable(directory: string): boolean {
  if ((statSync(directory).mode & anybodyMayEnter) === 0) return false
  return directory === '/' || isReachable(dirname(directory))
}

/** There is nothing in it: containers that run are found again where they were started. */
function isFree(directory: string): boolean {
  try {
    return readdirSync(directory).length === 0
  } catch {
    return true
  }
}

/** A container that is there still keeps its directory. */
function sweep(shared: string): void {
  const notes = readdirSync(shared).filter((name) => name.endsWith(noteSuffix))
  for (const note of notes.map((name) => join(shared, name))) {
    const elsewhere = note.slice(0, -noteSuffix.length)
    const own = readLink(note)
    if (own === undefined || readLink(own) === elsewhere || !isFree(elsewhere)) continue
    rmSync(note, { force: true })
    removeEmpty(elsewhere)
  }
}

function removeEmpty(directory: string): void {
  try {
    rmdirSync(directory)
  } catch {
    // Somebody has come to use it, or has removed it.
  }
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}
