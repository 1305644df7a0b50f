import { VirError } from '@covirt/core'
import type { TarHeader } from './tar-header.js'

/** More than the kernel takes in one path (PATH_MAX), and than any system has files. */
const maxPathBytes = 4095
const maxEntries = 10_000_000

/** Major and minor numbers of the character devices that every system has (devices.txt). */
const commonDevices: ReadonlySet<string> = new Set(['1:3', '1:5', '1:7', '1:8', '1:9', '5:0', '5:1', '5:2'])

/** Keeps account of what an archive makes, to know what lies behind its links. */
export class GuardedTree {
  readonly #links = new Set<string>()
  #entries = 0

  /** Whether an entry goes along, or is left out. `OPERATION_FAILED` for one that must not. */
  admit({ type, path, link, size, deviceMajor, deviceMinor }: TarHeader): boolean {
    this.#entries += 1
    if (this.#entries > maxEntries) throw refused(path, 'there are too many before it')
    const place = this.#placeOf(path)
    const isFile = (type === '0' || type === '7') && !path.endsWith('/')
    // Programs differ in whether they skip that: what is hidden in it would be read as entries by some.
    if (!isFile && size > 0) throw refused(path, 'it is no file and yet has content')
    switch (type) {
      case '0':
      case '7':
      case '5':
      case '6':
        if (this.#links.has(place)) throw refused(path, 'it takes the place of a link')
        return true
      case '2':
        if (place === '') throw refused(path, 'the root cannot be a link')
        this.#links.add(place)
        return true
      case '1':
        if (this.#links.has(this.#placeOf(link))) this.#links.add(place)
        return true
      case '3':
        if (commonDevices.has(`${deviceMajor}:${deviceMinor}`)) return false
        throw refused(path, `it is the character device ${deviceMajor}:${deviceMinor}`)
      case '4':
        throw refused(path, `it is the block device ${deviceMajor}:${deviceMinor}`)
      default:
        throw refused(path, `it is of an unknown kind ('${type}')`)
    }
  }

  /** A path without what says nothing; '' for the root. */
  #placeOf(path: string): string {
    if (path.length > maxPathBytes) throw refused(`${path.slice(0, 80)}…`, 'its name is too long')
    if (path.startsWith('/')) throw refused(path, 'its name is absolute')
    const parts = path.split('/').filter((part) => part !== '' && part !== '.')
    if (parts.includes('..')) throw refused(path, "its name holds '..'")
    for (let count = 1; count < parts.length; count++) {
      const parent = parts.slice(0, count).join('/')
      if (this.#links.has(parent)) throw refused(path, `it lies behind the link '${parent}'`)
    }
    return parts.join('/')
  }
}

function refused(path: string, why: string): VirError {
  const name = Buffer.from(path, 'latin1').toString()
  return new VirError('OPERATION_FAILED', `The archive is refused for its entry '${name}': ${why}`, {
    hint: 'It may be meant to do harm; see where it comes from',
  })
}
