import { Socket } from 'node:net'
import { binding, programPath, type StdioUse } from './binding.js'
import { watchPidfd } from './exit.js'

/** How a program ended. */
type ProgramEnd = { readonly code: number } | { readonly signal: number }

/** A child process of ours. */
export interface SpawnedProgram {
  readonly pid: number
  /** The other ends of its descriptors 0, 1, …; `undefined` where it has `/dev/null`. */
  readonly stdio: readonly (Socket | undefined)[]
  /** Resolves when it has ended; what it has written may not all be read yet. */
  readonly exited: Promise<ProgramEnd>
  /** Does nothing once it has ended. */
  kill(signal: number): void
}

/**
 * Starts the program `covirt-lxc`; it sees nothing of our environment that it does not need. Throws a system error
 * where that fails. Several times as fast as `child_process`, which forks a process of Node's size.
 */
export function spawnProgram(args: readonly string[], stdio: readonly StdioUse[]): SpawnedProgram {
  const file = programPath()
  return spawn(file, [file, ...args], { environment: ownEnvironment(), stdio })
}

let sealed: number | undefined

/**
 * As {@link spawnProgram}, for what goes into a container. `env` are variables for the program that is run there,
 * each after an `@`: on a command line all users of the host could read them. The root of a container may be able to
 * write to what runs in it, by its /proc: this is a copy that nobody can write to.
 */
export function spawnInside(
  args: readonly string[],
  stdio: readonly StdioUse[],
  env: Readonly<Record<string, string>> = {},
): SpawnedProgram {
  sealed ??= binding().sealedCopy(programPath())
  const variables = Object.entries(env).map(([name, value]) => `@${name}=${value}`)
  const environment = [...ownEnvironment(), ...variables]
  return spawn(`/proc/${process.pid}/fd/${sealed}`, ['covirt-lxc', ...args], { environment, stdio })
}

interface Surroundings {
  readonly environment: readonly string[]
  readonly stdio: readonly StdioUse[]
}

function spawn(file: string, argv: readonly string[], { environment, stdio }: Surroundings): SpawnedProgram {
  const { pid, fds } = binding().spawn(file, argv, environment, stdio)
  let end: (end: ProgramEnd) => void
  const exited = new Promise<ProgramEnd>((resolve) => {
    end = resolve
  })
  const watch = watchPidfd(pid, () => end(binding().reap(pid)))
  return {
    pid,
    exited,
    stdio: fds.map((fd, index) => {
      if (fd < 0) return undefined
      const use = stdio[index]
      return new Socket({ fd, readable: use !== 'read', writable: use !== 'write' })
    }),
    kill: (signal) => {
      try {
        watch.kill(signal)
      } catch {
        // It has ended.
      }
    },
  }
}

function ownEnvironment(): string[] {
  return ['PATH', 'HOME', 'XDG_RUNTIME_DIR', 'COVIRT_LIBLXC'].flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [`${name}=${value}`]
  })
}
