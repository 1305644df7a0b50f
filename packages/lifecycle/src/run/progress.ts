/** How far a domain is. */
export type ProgressPhase =
  | 'waiting'
  | 'starting'
  | 'retrying'
  | 'started'
  | 'probing'
  | 'ready'
  | 'not-ready'
  | 'failed'
  | 'skipped'
  | 'stopping'
  | 'asked'
  | 'off'
  | 'left'

/** What a runner tells as it goes. */
export interface Progress {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly uuid: string
  readonly name: string
  readonly phase: ProgressPhase
  /** Why, or what exactly. */
  readonly detail?: string | undefined
}
