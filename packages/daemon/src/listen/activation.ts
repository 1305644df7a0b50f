import { readFileSync, readlinkSync } from 'node:fs'

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

/** Whether clients of the socket may only read: by the name that its unit gives it. */
export function isForReading({ name }: InheritedSocket): boolean {
  return /(^|[-.])ro($|[-.])/.test(name)
}

/** The path that a listening unix socket is bound to (proc_pid_net(5)); `undefined` where it has none. */
export function boundPath(descriptor: number): string | undefined {
  try {
    const [, inode] = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${descriptor}`)) ?? []
    const lines = readFileSync('/proc/self/net/unix', 'utf8').split('\n')
    const columns = lines.map((line) => /^(?:\S+ +){6}(\d+) (\/.*)$/.exec(line))
    return columns.find((found) => found?.[1] === inode)?.[2]
  } catch {
    return undefined
  }
}
