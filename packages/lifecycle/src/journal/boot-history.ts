import type { JournalEntry } from './journal.js'

/** What the journal knows that plans depend on. */
export interface BootHistory {
  /** The start plan of this boot has run to its end. */
  readonly startPlanDone: boolean
  /** The domains that the start plan of this boot has started, by uuid. */
  readonly startedThisBoot: ReadonlySet<string>
  /**
   * The domains that are off because all guests of the host were taken down in this boot, by uuid. `undefined` where
   * they were not, or a plan has brought them up again.
   */
  readonly takenDown: ReadonlySet<string> | undefined
  /** The domains that were up when the host went down last, by uuid. */
  readonly upBefore: ReadonlySet<string>
  /**
   * The domains that were to be started once and whose definitions may still say so, by uuid: whether they were
   * started, or, in this boot, it is not known how far that came.
   */
  readonly once: ReadonlyMap<string, 'started' | 'starting'>
}

/** Reads it out of the journal's entries, oldest first. */
export function bootHistory(entries: readonly JournalEntry[], boot: string): BootHistory {
  const own = new ThisBoot()
  const before = new EarlierBoots()
  const once = new Map<string, 'started' | 'starting'>()
  for (const entry of entries) {
    const { uuid, event } = entry
    if (uuid !== undefined && event === 'once-over') once.delete(uuid)
    else if (uuid !== undefined && entry.once && event === 'started') once.set(uuid, event)
    else if (uuid !== undefined && entry.once && event === 'starting' && entry.boot === boot)
      once.set(uuid, event)
    if (entry.boot === boot) own.note(entry)
    else before.note(entry)
  }
  return {
    startPlanDone: own.startPlanDone,
    startedThisBoot: own.started,
    takenDown: own.takenDown,
    upBefore: before.up,
    once,
  }
}

class ThisBoot {
  readonly started = new Set<string>()
  startPlanDone = false
  takenDown: Set<string> | undefined

  note({ event, actor, plan, uuid, how }: JournalEntry): void {
    if (event === 'plan-ended' && plan === 'start' && actor === 'boot') {
      this.startPlanDone = true
      this.takenDown = undefined
    }
    if (event === 'plan-began' && plan === 'stop' && actor === 'power-off') this.takenDown ??= new Set()
    if (uuid === undefined) return
    if (event === 'started' || event === 'ready') {
      if (actor === 'boot') this.started.add(uuid)
      this.takenDown?.delete(uuid)
    }
    if (actor !== 'power-off') return
    // What had gone off before it was asked is off for another reason.
    if (event === 'stopping' || (event === 'stopped' && how !== 'gone')) this.takenDown?.add(uuid)
    else if (event === 'stop-failed' || event === 'left') this.takenDown?.delete(uuid)
  }
}

class EarlierBoots {
  readonly up = new Set<string>()
  /** Those that have been asked as the host goes down: another process may note their end as their own. */
  readonly #asked = new Set<string>()

  note({ event, actor, uuid }: JournalEntry): void {
    if (uuid === undefined) return
    if (event === 'stopping' && actor === 'power-off') this.#asked.add(uuid)
    else if (event === 'started' || event === 'stop-failed') this.#asked.delete(uuid)
    if (event === 'started' || event === 'ready' || event === 'left') this.up.add(uuid)
    // What goes down with its host was up.
    else if (event === 'stopped' && (actor === 'power-off' || this.#asked.has(uuid))) this.up.add(uuid)
    else if (event === 'stopped') this.up.delete(uuid)
  }
}
