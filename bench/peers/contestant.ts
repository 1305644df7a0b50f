/** What is measured; each leaves the container as its name says. */
export const verbs = [
  'start',
  'stop',
  'cycle',
  'exec',
  'freeze',
  'thaw',
  'clone',
  'linked',
  'snapshot',
] as const

/** One of {@link verbs}. */
export type Verb = (typeof verbs)[number]

/** One way of having a container, made of the same root file system as the others', and off. What it lacks it does not do. */
export interface Contestant extends AsyncDisposable {
  readonly name: string
  start(): Promise<unknown>
  /** Asks its init to go down, where it knows how, and resolves once the container is off, and all that it held is free. */
  stop(): Promise<unknown>
  /** Stops and starts it: what of its end need not be over for that may go on. */
  cycle(): Promise<unknown>
  /** Runs `argv` in it to its end. */
  readonly exec?: (argv: readonly string[]) => Promise<unknown>
  readonly freeze?: () => Promise<unknown>
  readonly thaw?: () => Promise<unknown>
  /** Makes another of it, which is off, with a copy of its files. */
  readonly clone?: (name: string) => Promise<unknown>
  /** The same with only what the clone changes of its own, over the files of the first. */
  readonly linked?: (name: string) => Promise<unknown>
  readonly removeClone?: (name: string) => Promise<unknown>
  readonly snapshot?: (name: string) => Promise<unknown>
  readonly removeSnapshot?: (name: string) => Promise<unknown>
}

/** Where contestants are made. */
export interface Arena {
  /** Its `/sbin/init` is up and down in milliseconds, and goes down at SIGPWR. */
  readonly rootfs: string
  /** For their own files. */
  readonly directory: string
}

/** Says why it cannot take part by the message of its error. */
export type Entrant = (arena: Arena) => Promise<Contestant>
