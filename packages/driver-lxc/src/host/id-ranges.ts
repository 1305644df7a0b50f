import { createHash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { VirError } from '@covirt/core'
import { tryLockFile } from './lock-file.js'
import { makePassable } from './make-passable.js'
import { readLink } from './read-link.js'
import { type IdSpan, idsPerRange, ourUser, readSubordinateIds, readText } from './subordinate-ids.js'

/** Where an {@link IdRanges} keeps what it has handed out. */
export interface IdRangesDirectories {
  /** Of one root alone: which range each of its domains has. */
  readonly own: string
  /** Of all roots of the host: whose each range is. */
  readonly host: string
}

/**
 * Which ids of the host each container has, no two of one host the same, whatever roots they belong to. Each range is a
 * symbolic link that is named for its first id, made in one step, complete or not there, and never by two: in the
 * root's own directory it leads to the uuid of its domain, in that of the host to the one in the root's. What was
 * handed out is so for as long as both are there: the host's leads nowhere where a root has been removed, and is swept then.
 */
export class IdRanges {
  readonly #own: string
  readonly #host: string
  readonly #ofUuid = new Map<string, number>()

  private constructor({ own, host }: IdRangesDirectories) {
    mkdirSync(own, { recursive: true, mode: 0o700 })
    this.#own = realpathSync(own)
    this.#host = host
    for (const start of startsIn(own)) {
      const uuid = readLink(this.#recordOf(start))
      if (uuid !== undefined) this.#ofUuid.set(uuid, start)
    }
  }

  /** Reads what has been handed out before, and frees what roots had that are gone. Directories are made as they are needed. */
  static async open(directories: IdRangesDirectories): Promise<IdRanges> {
    const ranges = new IdRanges(directories)
    await sweep(directories.host)
    return ranges
  }

  /** The range that a domain was given last; `undefined` where it was given none. */
  find(uuid: string): IdSpan | undefined {
    const start = this.#ofUuid.get(uuid)
    return start === undefined ? undefined : spanFrom(start)
  }

  /**
   * The range of a domain, from now on where it has had none: durable, the same at each start, no other domain's of any root,
   * and nobody else's by /etc/subuid and /etc/subgid, nor that of any process there is then. Another one than before only
   * where another root has been given that one meanwhile, as by a copy of a root, or of one that was away.
   * `OPERATION_FAILED` where none is left.
   */
  take(uuid: string): IdSpan {
    const known = this.#ofUuid.get(uuid)
    if (known !== undefined && this.#holds(known)) return spanFrom(known)
    if (known !== undefined) this.#drop(uuid, known)
    for (const start of this.#free(uuid, known)) if (this.#claim(uuid, start)) return spanFrom(start)
    throw noneLeft()
  }

  /** The range that {@link take} would give at this moment, given to nobody. Throws as that does. */
  offer(uuid: string): IdSpan {
    const known = this.#ofUuid.get(uuid)
    if (known !== undefined && this.#holds(known)) return spanFrom(known)
    for (const start of this.#free(uuid, known)) return spanFrom(start)
    throw noneLeft()
  }

  /** First ids of ranges that nobody has, in the order in which a domain is given one of them. */
  *#free(uuid: string, known: number | undefined): Generator<number> {
    const { pool, taken } = readSubordinateIds()
    const ofOthers = [...this.#ofUuid].flatMap(([other, start]) => (other === uuid ? [] : [start]))
    const given = new Set([...ofOthers, ...startsIn(this.#host)])
    // Of another pool, as that of other days.
    const askew = [...given].filter((start) => (start - pool.start) % idsPerRange !== 0)
    const others = [...taken, ...idsInUse(), ...askew.map(spanFrom)]
    for (const start of [...(known === undefined ? [] : [known]), ...placesOf(uuid, pool)])
      if (!given.has(start) && !overlapsAny(spanFrom(start), others)) yield start
  }

  /** Frees the ranges of all domains but these. */
  retain(uuids: ReadonlySet<string>): void {
    const gone = [...this.#ofUuid].filter(([uuid]) => !uuids.has(uuid))
    for (const [uuid, start] of gone) this.#drop(uuid, start)
  }

  /** The root's own first: what is in the host's directory leads to something from the beginning, and is not swept. */
  #claim(uuid: string, start: number): boolean {
    // Containers' users go through what is above.
    makePassable(dirname(this.#host))
    mkdirSync(this.#host, { recursive: true, mode: 0o700 })
    symlinkSync(uuid, this.#recordOf(start))
    if (!linkNew(this.#recordOf(start), join(this.#host, String(start)))) {
      rmSync(this.#recordOf(start))
      return false
    }
    for (const directory of [this.#own, this.#host]) syncDirectory(directory)
    this.#ofUuid.set(uuid, start)
    return true
  }

  #drop(uuid: string, start: number): void {
    if (this.#holds(start)) rmSync(join(this.#host, String(start)), { force: true })
    rmSync(this.#recordOf(start), { force: true })
    this.#ofUuid.delete(uuid)
  }

  #holds(start: number): boolean {
    return readLink(join(this.#host, String(start))) === this.#recordOf(start)
  }

  #recordOf(start: number): string {
    return join(this.#own, String(start))
  }
}

/** One process at a time: what another has made anew meanwhile is not to be removed. */
async function sweep(directory: string): Promise<void> {
  const abandoned = () => startsIn(directory).filter((start) => isAbandoned(join(directory, String(start))))
  if (abandoned().length === 0) return
  const lock = await open(join(directory, '.lock'), 'a', 0o600)
  try {
    // Who has it sweeps.
    if (!tryLockFile(lock)) return
    for (const start of abandoned()) rmSync(join(directory, String(start)), { force: true })
  } finally {
    await lock.close()
  }
}

function isAbandoned(entry: string): boolean {
  const record = readLink(entry)
  return record !== undefined && lstatSync(record, { throwIfNoEntry: false }) === undefined
}

/** The first ids of the ranges that a directory tells of. */
function startsIn(directory: string): number[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory)
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

/** Whether there was nothing before. */
function linkNew(target: string, path: string): boolean {
  try {
    symlinkSync(target, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function noneLeft(): VirError {
  return new VirError('OPERATION_FAILED', 'No range of user ids is left for another container', {
    domain: 'LXC',
    hint: `Undefine containers that are not needed, or give ids to '${ourUser}' in /etc/subuid and /etc/subgid`,
  })
}

/** From a place on that the uuid tells, so that a domain gets the same again where directories were lost. */
function* placesOf(uuid: string, pool: IdSpan): Generator<number> {
  const places = Math.floor(pool.count / idsPerRange)
  const first = createHash('sha256').update(uuid).digest().readUInt32BE(0)
  for (let each = 0; each < places; each++) yield pool.start + ((first + each) % places) * idsPerRange
}

function syncDirectory(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Those of all user namespaces but ours (user_namespaces(7)): other programs have containers, too. */
function idsInUse(): IdSpan[] {
  const mapsOf = (pid: string) => ['uid_map', 'gid_map'].map((map) => readText(`/proc/${pid}/${map}`))
  const own = mapsOf('self')
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return [...new Set(pids.flatMap(mapsOf))]
    .filter((map) => !own.includes(map))
    .flatMap((map) => [...map.matchAll(/^ *\d+ +(\d+) +(\d+)$/gm)])
    .map(([, start, count]) => ({ start: Number(start), count: Number(count) }))
}

function spanFrom(start: number): IdSpan {
  return { start, count: idsPerRange }
}

function overlapsAny(a: IdSpan, spans: readonly IdSpan[]): boolean {
  return spans.some((b) => a.start < b.start + b.count && b.start < a.start + a.count)
}
