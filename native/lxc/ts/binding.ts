import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * The contract between the addon (`src/`) and TypeScript. Paths are lxcpaths. Every promise is settled by a
 * call of liblxc on a thread of its own and rejects with an `Error` that may carry `code` and `errno`; where
 * liblxc is missing the call throws with `code` `ENOENT`. Arguments are not checked: callers are typed.
 */
export interface Binding {
  probe(extensions: readonly string[]): ProbeResult
  state(path: string, name: string): Promise<string>
  initPid(path: string, name: string): Promise<number | undefined>
  /** The caller owns `fd`. */
  openInitPidfd(path: string, name: string): Promise<{ pid: number; fd: number } | undefined>
  configItem(path: string, name: string, key: string): Promise<string | undefined>
  runningConfigItem(path: string, name: string, key: string): Promise<string | undefined>
  cgroupItem(path: string, name: string, key: string): Promise<string>
  setCgroupItem(path: string, name: string, key: string, value: string): Promise<void>
  stop(path: string, name: string): Promise<void>
  shutdown(path: string, name: string): Promise<void>
  reboot(path: string, name: string): Promise<void>
  listActive(path: string): Promise<string[]>
  /** The caller owns both descriptors; `connection` keeps the terminal reserved, `master` does not block. */
  openTty(path: string, name: string, tty: number): Promise<OpenedTty>
  consoleLog(path: string, name: string): Promise<Buffer>
  pidfdOpen(pid: number): number
  /** Takes the descriptor; closes itself before it calls `onExit`, once. */
  PidfdWatcher: new (
    fd: number,
    onExit: () => void,
  ) => PidfdWatcher
  peerCredentials(fd: number): { pid: number; uid: number; gid: number }
  peerGroups(fd: number): number[]
  /** False where the socket is full. */
  sendDescriptor(socket: number, descriptor: number): boolean
  /** A leading `@` means the abstract name space. */
  sendDatagram(path: string, text: string): void
  setWindowSize(fd: number, columns: number, rows: number): void
  /** What was typed into a terminal and not read yet; in line mode, complete lines only (TIOCINQ). */
  unreadInput(fd: number): number
  makeFifo(path: string, mode: number): void
  /** An exclusive lock of an open file (flock(2)); whether it got it. */
  lockFile(fd: number): boolean
  /** The whole file system that `path` is in (syncfs(2)). */
  syncFileSystem(path: string): Promise<void>
  /** A child process; the caller reaps it, and owns the descriptors: -1 where there is no pipe. A file without a slash is in PATH. */
  spawn(
    file: string,
    argv: readonly string[],
    environment: readonly string[],
    stdio: readonly StdioUse[],
  ): { pid: number; fds: number[] }
  /** Waits for a child that has ended. Throws `ECHILD` where it has not, or is none of ours. */
  reap(pid: number): { code: number } | { signal: number }
  /** A copy of the file in memory that nobody can change (memfd_create(2)): a descriptor that is closed when the thread ends. */
  sealedCopy(path: string): number
}

/** What a program does with a descriptor: reads from us, writes to us, both, or neither. */
export type StdioUse = 'read' | 'write' | 'both' | 'null'

type ProbeResult =
  | { available: false; reason: string }
  | { available: true; version: string; library: string; extensions: string[] }

export interface OpenedTty {
  readonly tty: number
  readonly master: number
  readonly connection: number
}

interface PidfdWatcher {
  kill(signal: number): void
  ref(): void
  unref(): void
  close(): void
}

const packageRoot = fileURLToPath(new URL('..', import.meta.url))
const folders = ['build/Release', `prebuilds/${process.platform}-${process.arch}`]

let loaded: Binding | undefined

/** The addon. Throws an `Error` with a sentence for a person where it is not built or does not load. */
export function binding(): Binding {
  if (!loaded) {
    const module: { exports: unknown } = { exports: {} }
    process.dlopen(module, builtFile('covirt_lxc.node'))
    loaded = module.exports as Binding
  }
  return loaded
}

/** Where the program `covirt-lxc` is. Throws as {@link binding} does. */
export function programPath(): string {
  return builtFile('covirt-lxc')
}

function builtFile(name: string): string {
  const candidates = folders.map((folder) => `${packageRoot}${folder}/${name}`)
  const found = candidates.find((file) => existsSync(file))
  if (found) return found
  throw Object.assign(
    new Error(
      `${name} of @covirt/native-lxc is not built for ${process.platform}-${process.arch}: ` +
        'run "npm run build:native" (it needs a C++ compiler and the headers of liblxc)',
    ),
    { code: 'ENOENT' },
  )
}
