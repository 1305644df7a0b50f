import type { Task } from '../cli/cli.js'

/** Called with what a command line asks for. */
export type Select = (task: Task) => void

/** How the argument that names a domain is described. */
export const domainArgument = 'name, uuid or id'
