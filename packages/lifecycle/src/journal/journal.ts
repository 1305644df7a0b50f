/**
 * Who brought a domain up or down: a plan at boot or at power-off, a user, the guest itself, its `<on_crash>` or
 * `<on_reboot>`.
 */
export type JournalActor = 'boot' | 'power-off' | 'user' | 'guest' | 'on-crash'

/** What happened. */
export type JournalEvent =
  | 'plan-began'
  | 'plan-ended'
  | 'starting'
  | 'started'
  | 'ready'
  | 'not-ready'
  | 'start-failed'
  | 'skipped'
  | 'stopping'
  | 'stopped'
  | 'stop-failed'
  | 'left'
  | 'rebooted'
  /** Its definition has said that it is to be started once, and says so no more. */
  | 'once-over'

/** One line of the journal. */
export interface JournalEntry {
  /** Milliseconds since 1970. */
  readonly at: number
  /** Which boot of the host it belongs to. */
  readonly boot: string
  readonly actor: JournalActor
  readonly event: JournalEvent
  /** The domain; absent where a plan as a whole is meant. */
  readonly uuid?: string | undefined
  readonly name?: string | undefined
  /** Of a plan: `start` or `stop`. */
  readonly plan?: 'start' | 'stop' | undefined
  readonly why?: string | undefined
  /** Of `stopped`: by itself when asked, with its state kept, by force, or not by us. */
  readonly how?: 'clean' | 'saved' | 'forced' | 'gone' | undefined
  readonly tookMs?: number | undefined
  /** Of `starting` and `started`: its definition says that it is to be started once. */
  readonly once?: boolean | undefined
}

/** Where it is kept who did what to which domain. Appending never disturbs what is being done. */
export interface Journal {
  /** Notes it; it is on disk when it resolves. Rejects where it cannot be kept. */
  append(entry: JournalEntry): Promise<void>
  /** All that is still known, oldest first. */
  read(): Promise<readonly JournalEntry[]>
  close(): Promise<void>
}

/** A journal that lives as long as the process: for simulations. */
export class MemoryJournal implements Journal {
  readonly entries: JournalEntry[] = []

  async append(entry: JournalEntry): Promise<void> {
    this.entries.push(entry)
  }

  async read(): Promise<readonly JournalEntry[]> {
    return this.entries
  }

  async close(): Promise<void> {}
}
