import { checkRange, maxId } from './check-range.js'
import { VirError } from './errors.js'
import { type ExecOptions, namespaceNames } from './exec-role.js'

/** The most that a terminal can be in each direction (ioctl_tty(2): unsigned short). */
const maxTerminalSize = 0xffff

/**
 * Refuses what no driver can run, before anything is done: `TypeError` for what is of the wrong type, `INVALID_ARG`
 * for what cannot be passed to a program.
 */
export function checkExec(argv: readonly string[], options: ExecOptions = {}): void {
  const { env = {}, cwd, uid, gid, tty, namespaces } = options
  if (!Array.isArray(argv) || !argv.every((word) => typeof word === 'string'))
    throw new TypeError('argv must be an array of strings')
  if (argv.length === 0 || argv[0] === '') throw invalid('There is no program to run')
  if (argv.some(hasNul)) throw invalid('An argument of a program cannot hold a NUL character')
  for (const [name, value] of Object.entries(env)) {
    if (typeof value !== 'string') throw new TypeError(`env.${name} must be a string`)
    if (name === '' || name.includes('=') || hasNul(name) || hasNul(value))
      throw invalid(`'${name}' cannot be passed in the environment of a program`)
  }
  if (cwd !== undefined && (!cwd.startsWith('/') || hasNul(cwd)))
    throw invalid(`The directory '${cwd}' is no absolute path`)
  checkRange('uid', uid, 0, maxId)
  checkRange('gid', gid, 0, maxId)
  checkRange('tty.columns', tty?.columns, 1, maxTerminalSize)
  checkRange('tty.rows', tty?.rows, 1, maxTerminalSize)
  const unknown = namespaces?.find((name) => !namespaceNames.includes(name))
  if (unknown !== undefined)
    throw invalid(`'${unknown}' is not a kind of namespace`, `There are ${namespaceNames.join(', ')}`)
  if (namespaces?.length === 0)
    throw invalid('A program is run in one of the namespaces of the guest at least')
}

function hasNul(text: string): boolean {
  return text.includes('\0')
}

function invalid(message: string, hint?: string): VirError {
  return new VirError('INVALID_ARG', message, { domain: 'DOM', ...(hint === undefined ? {} : { hint }) })
}
