import { readFileSync } from 'node:fs'

/** How many ids each container has: what user databases reckon with, from 0 to `nobody`. */
export const idsPerRange = 65_536

/**
 * Ids that nobody else hands out: systemd's register (https://systemd.io/UIDS-GIDS) has them as unused. They are above
 * what users, systemd-nspawn and Incus are given.
 */
const unusedIds: IdSpan = { start: 0x7000_0000, count: 0x0ffe_0000 }

/** In /etc/subuid and /etc/subgid: gives our containers other ids than {@link unusedIds}. */
export const ourUser = 'covirt'

/** Ids of the host, one after the other. */
export interface IdSpan {
  readonly start: number
  readonly count: number
}

/** {@link divideSubordinateIds} of this host. */
export function readSubordinateIds(): ReturnType<typeof divideSubordinateIds> {
  return divideSubordinateIds(['/etc/subuid', '/etc/subgid'].map(readText))
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

/** The content of a file; '' where it cannot be read. */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
