import { createHash } from 'node:crypto'
import { existsSync, readdirSync, realpathSync, rmdirSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { messageOf, VirError } from '@covirt/core'
import { makePassable } from './make-passable.js'
import { readLink } from './read-link.js'

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
  makePassable(parent)
  const path = join(realpathSync(parent), basename(own))
  const link = readLink(path)
  // A link that leads to another place was made by whoever looks after the host.
  const isOurs = link !== undefined && dirname(link) === shared
  if (!isOurs && (isReachable(dirname(path)) || !isFree(path))) {
    makePassable(path)
    return path
  }
  const elsewhere = join(shared, createHash('sha256').update(path).digest('hex').slice(0, 16))
  makeElsewhere(elsewhere, dirname(path))
  sweep(shared)
  // That of a root which this one is a copy of stays that one's.
  if (link !== elsewhere) {
    removeFree(path)
    symlinkSync(elsewhere, path)
    rmSync(`${elsewhere}${noteSuffix}`, { force: true })
    symlinkSync(path, `${elsewhere}${noteSuffix}`)
  }
  return elsewhere
}

function makeElsewhere(elsewhere: string, closed: string): void {
  try {
    makePassable(elsewhere)
    if (!isReachable(elsewhere)) throw new Error(`not anybody may get to ${elsewhere}`)
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

/** There is nothing in it, or it is not there: containers that run are found again where they were started. */
function isFree(directory: string): boolean {
  return !existsSync(directory) || readdirSync(directory).length === 0
}

/** A directory that is {@link isFree}, or a link. */
function removeFree(path: string): void {
  if (readLink(path) === undefined && existsSync(path)) rmdirSync(path)
  else rmSync(path, { force: true })
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
