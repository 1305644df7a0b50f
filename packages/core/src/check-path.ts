import { VirError } from './errors.js'

/** The kernel's limit, with the byte that ends it (PATH_MAX). */
const maxPathBytes = 4096

/** Refuses, with `INVALID_ARG`, what is no absolute path in a guest; with a `TypeError` what is no string. */
export function checkGuestPath(path: string): void {
  if (typeof path !== 'string') throw new TypeError('path must be a string')
  if (path.startsWith('/') && !path.includes('\0') && Buffer.byteLength(path) < maxPathBytes) return
  throw new VirError('INVALID_ARG', `'${path.slice(0, 100)}' is no absolute path`, { domain: 'DOM' })
}
