import { type ErrorDomain, VirError } from '@covirt/core'

/** A name becomes `NAME.xml`, and file systems take 255 bytes. */
const maxNameBytes = 200

/**
 * Checks a domain's name, which becomes part of paths and is shown on terminals. `XML_ERROR` where it is
 * empty, too long, `.` or `..`, begins with `.covirt-`, or holds a slash or control characters.
 */
export function checkDomainName(name: string): void {
  checkPathName(name, 'A domain', 'DOMAIN')
}

/** As {@link checkDomainName}, for whatever else has a name that becomes part of paths. */
export function checkPathName(name: string, what: string, domain: ErrorDomain): void {
  const problem = problemOf(name)
  if (problem === undefined) return
  throw new VirError(
    'XML_ERROR',
    `${what} cannot be named ${JSON.stringify(name.slice(0, 80))}: ${problem}`,
    {
      domain,
      hint: 'Use letters, digits, and - _ . in the <name>',
    },
  )
}

function problemOf(name: string): string | undefined {
  if (name.trim() === '') return 'the name is empty'
  if (Buffer.byteLength(name) > maxNameBytes) return `it is longer than ${maxNameBytes} bytes`
  if (name === '.' || name === '..' || name.startsWith('.covirt-')) return 'the name is reserved'
  if (name.includes('/')) return 'it contains a slash'
  if (/\p{Cc}/u.test(name)) return 'it contains a control character'
  return undefined
}
