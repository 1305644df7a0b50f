import { createHash } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import { VirError } from '@covirt/core'

/** How many ids each container has: what user databases reckon with, from 0 to `nobody`. */
export const idsPerRange = 65_536

/**
 * Ids that nobody else hands out: systemd's register (https://systemd.io/UIDS-GIDS) has them as unused. They are above
 * what users, systemd-nspawn and Incus are given.
 */
const unusedIds: IdSpan = { start: 0x7000_0000, count: 0x0ffe_0000 }

/** What a container may have that has been given none yet. */
export const firstIds: IdSpan = { start: unusedIds.start, count: idsPerRange }

/** In /etc/subuid and /etc/subgid: gives our containers other ids than {@link unusedIds}. */
const ourUser = 'covirt'

/** Ids of the host, one after the other. */
export interface IdSpan {
  readonly start: number
  readonly count: number
}

/**
 * Which ids of the host each container has. Each range is a symbolic link that is named for its first id and leads
 * to the uuid of its domain: made in one step, complete or not there, and never by two.
 */
export class IdRanges {
  readonly #directory: string
  readonly #ofUuid = new Map<string, number>()

  /** Reads what has been handed out before. @param directory of its own; made where it is missing */
  constructor(directory: string) {
    this.#directory = directory
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    for (const name of readdirSync(directory))
      if (/^\d+$/.test(name)) this.#ofUuid.set(readlinkSync(join(directory, name)), Number(name))
  }

  /** The range of a domain; `undefined` where it has none. */
  find(uuid: string): IdSpan | undefined {
    const start = this.#ofUuid.get(uuid)
    return start === undefined ? undefined : { start, count: idsPerRange }
  }

  /**
   * The range of a domain, from now on where it has had none: durable, the same at each start, no other domain's, and
   * nobody else's by /etc/subuid and /etc/subgid, nor that of any process there is then. `OPERATION_FAILED` where none is left.
   */
  take(uuid: string): IdSpan {
    const known = this.find(uuid)
    if (known) return known
    const { pool, taken } = readSubordinateIds()
    const start = this.#freeStart(uuid, pool, [...taken, ...idsInUse()])
    if (start === undefined)
      throw new VirError('OPERATION_FAILED', 'No range of user ids is left for another container', {
        domain: 'LXC',
        hint: `Undefine containers that are not needed, or give ids to '${ourUser}' in /etc/subuid and /etc/subgid`,
      })
    symlinkSync(uuid, join(this.#directory, String(start)))
    this.#sync()
    this.#ofUuid.set(uuid, start)
    return { start, count: idsPerRange }
  }

  /** Frees the ranges of all domains but these. */
  retain(uuids: ReadonlySet<string>): void {
    const gone = [...this.#ofUuid].filter(([uuid]) => !uuids.has(uuid))
    for (const [uuid, start] of gone) {
      rmSync(join(this.#directory, String(start)), { force: true })
      this.#ofUuid.delete(uuid)
    }
  }

  /** Begins at a place that the uuid tells, so that a domain gets the same again where the directory was lost. */
  #freeStart(uuid: string, pool: IdSpan, taken: readonly IdSpan[]): number | undefined {
    const used = new Set(this.#ofUuid.values())
    const places = Math.floor(pool.count / idsPerRange)
    const first = createHash('sha256').update(uuid).digest().readUInt32BE(0)
    for (let each = 0; each < places; each++) {
      const start = pool.start + ((first + each) % places) * idsPerRange
      const isFree = !used.has(start) && !taken.some((span) => overlaps(span, { start, count: idsPerRange }))
      if (isFree) return start
    }
    return undefined
  }

  #sync(): void {
    const fd = openSync(this.#directory, 'r')
    try {
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  }
}

/** Those of all user namespaces but ours (user_namespaces(7)): other roots, and other programs, have containers too. */
function idsInUse(): IdSpan[] {
  const own = readText('/proc/self/uid_map')
  const maps = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => readText(`/proc/${pid}/uid_map`))
  return [...new Set(maps)]
    .filter((map) => map !== own)
    .flatMap((map) => [...map.matchAll(/^ *\d+ +(\d+) +(\d+)$/gm)])
    .map(([, start, count]) => ({ start: Number(start), count: Number(count) }))
}

function overlaps(a: IdSpan, b: IdSpan): boolean {
  return a.start < b.start + b.count && b.start < a.start + a.count
}

function readSubordinateIds(): ReturnType<typeof divideSubordinateIds> {
  return divideSubordinateIds(['/etc/subuid', '/etc/subgid'].map(readText))
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/**
 * From which ids ours come, and which of them are others', by the texts of /etc/subuid and /etc/subgid (subuid(5)).
 * Ours must be in both.
 */
export function divideSubordinateIds(files: readonly string[]): {
  readonly pool: IdSpan
  readonly taken: readonly IdSpan[]
} {
  const perFile = files.map((text) =>
    [...text.matchAll(/^([^:#\s]+):(\d{1,10}):(\d{1,10})$/gm)].map(([, user, start, count]) => ({
      user,
      start: Number(start),
      count: Number(count),
    })),
  )
  const ours = (entry: { readonly user: string | undefined }) => entry.user === ourUser
  const [uids = [], gids = []] = perFile
  const pool = uids.find(
    (uid) =>
      ours(uid) &&
      uid.count >= idsPerRange &&
      gids.some((gid) => ours(gid) && gid.start === uid.start && gid.count === uid.count),
  )
  return {
    pool: pool ? { start: pool.start, count: pool.count } : unusedIds,
    taken: perFile
      .flat()
      .filter((entry) => !ours(entry))
      .map(({ start, count }) => ({ start, count })),
  }
}
