import { checkRange, maxId } from './check-range.js'
import { VirError } from './errors.js'
import type { OwnershipOptions, ReadFileOptions } from './files-role.js'

/** The kernel's limit, with the byte that ends it (PATH_MAX). */
const maxPathBytes = 4096

/**
 * Refuses, with `INVALID_ARG`, what is no absolute path in a guest, and numbers that no file can have; with a `TypeError`
 * what is no string or number.
 */
export function checkGuestPath(path: string, options: ReadFileOptions & OwnershipOptions = {}): void {
  if (typeof path !== 'string') throw new TypeError('path must be a string')
  checkRange('offsetBytes', options.offsetBytes, 0, Number.MAX_SAFE_INTEGER)
  checkRange('lengthBytes', options.lengthBytes, 0, Number.MAX_SAFE_INTEGER)
  checkRange('mode', options.mode, 0, 0o7777)
  checkRange('uid', options.uid, 0, maxId)
  checkRange('gid', options.gid, 0, maxId)
  if (path.startsWith('/') && !path.includes('\0') && Buffer.byteLength(path) < maxPathBytes) return
  throw new VirError('INVALID_ARG', `'${path.slice(0, 100)}' is no absolute path`, { domain: 'DOM' })
}
