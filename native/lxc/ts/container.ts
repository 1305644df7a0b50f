/** One container: its configuration is the file `config` in the directory `name` below `path`. */
export interface Container {
  /** The lxcpath, absolute. */
  readonly path: string
  readonly name: string
}

/** What every asynchronous call takes last. */
export interface Options {
  /** The call rejects with the signal's reason as soon as it fires. */
  readonly signal?: AbortSignal | undefined
}

/** liblxc's states, in the order of their numbers in its own messages. */
export const lxcStates = [
  'STOPPED',
  'STARTING',
  'RUNNING',
  'STOPPING',
  'ABORTING',
  'FREEZING',
  'FROZEN',
  'THAWED',
] as const

export type LxcState = (typeof lxcStates)[number]
