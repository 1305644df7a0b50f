/** A socket that a service manager has bound for us (sd_listen_fds(3)). */
export interface InheritedSocket {
  readonly descriptor: number
  /** As `FileDescriptorName=` of the unit has it. */
  readonly name: string
}

const firstDescriptor = 3
const maxSockets = 64

/**
 * The sockets that were passed to this process, none where the variables speak to another one. Removes the variables,
 * so that no program that we start takes them for its own.
 */
export function inheritedSockets(environment: NodeJS.ProcessEnv, pid: number): readonly InheritedSocket[] {
  const { LISTEN_PID: forWhom, LISTEN_FDS: count, LISTEN_FDNAMES: names = '' } = environment
  for (const variable of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete environment[variable]
  if (forWhom !== String(pid) || !/^\d+$/.test(count ?? '')) return []
  const length = Math.min(Number(count), maxSockets)
  return Array.from({ length }, (_, index) => ({
    descriptor: firstDescriptor + index,
    name: names.split(':')[index] ?? '',
  }))
}
