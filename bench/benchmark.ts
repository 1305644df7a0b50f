/** One thing that is measured. */
export interface Benchmark {
  readonly name: string
  /** What is compared with what, for people. */
  readonly about: string
  /** What we want: `ratio` at most, or milliseconds at most. */
  readonly goal: { readonly ratio: number } | { readonly ms: number } | undefined
  /** Of its figures. Default: milliseconds. */
  readonly unit?: 'KiB'
  /** Why it cannot run here. */
  readonly requires: () => string | undefined
  readonly run: () => Promise<Figures>
}

/** Medians. With `peerMs` and `ratio` where something else was measured in the same run. */
export interface Figures {
  readonly ms: number
  readonly peerMs?: number
  readonly ratio?: number
  /** Of a process: what it has for itself, and its share of what it has with others. */
  readonly memoryKib?: number
  /** What else was measured, in the unit that its name says. */
  readonly notes?: Readonly<Record<string, number>>
}
