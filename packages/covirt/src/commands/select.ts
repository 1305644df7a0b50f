import type { Task } from '../cli/cli.js'

/** Called with what a command line asks for. */
export type Select = (task: Task) => void

/** How the argument that names a domain is described. */
export const domainArgument = 'name, uuid or id'

/** Told of commands that go on until somebody ends them. */
export const holdsTheRoot = `
One process owns a root (?root=DIR, or the system's) at a time. While this command runs, other commands on the same
root wait for --lock-timeout, and then fail, naming it.
`
