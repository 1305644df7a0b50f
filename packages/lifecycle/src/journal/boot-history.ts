import type { JournalEntry } from './journal.js'

/** What the journal knows that plans depend on. */
export interface BootHistory {
  /** The start plan of this boot has run to its end. */
  readonly startPlanDone: boolean
  /** The domains that the start plan of this boot has started, by uuid. */
  readonly startedThisBoot: ReadonlySet<string>
  /** The domains that were up when the host went down last, by uuid. */
  readonly upBefore: ReadonlySet<string>
}

/** Reads it out of the journal's entries, oldest first. */
export function bootHistory(entries: readonly JournalEntry[], boot: string): BootHistory {
  const startedThisBoot = new Set<string>()
  const upBefore = new Set<string>()
  /** Those that have been asked as the host goes down: another process may note their end as their own. */
  const asked = new Set<string>()
  let startPlanDone = false
  for (const entry of entries) {
    const { event, actor, uuid, plan } = entry
    if (entry.boot === boot) {
      if (actor !== 'boot') continue
      if (event === 'plan-ended' && plan === 'start') startPlanDone = true
      if (uuid !== undefined && (event === 'started' || event === 'ready')) startedThisBoot.add(uuid)
    } else if (uuid !== undefined) {
      if (event === 'stopping' && actor === 'power-off') asked.add(uuid)
      else if (event === 'started' || event === 'stop-failed') asked.delete(uuid)
      if (event === 'started' || event === 'ready' || event === 'left') upBefore.add(uuid)
      // What goes down with its host was up.
      else if (event === 'stopped' && (actor === 'power-off' || asked.has(uuid))) upBefore.add(uuid)
      else if (event === 'stopped') upBefore.delete(uuid)
    }
  }
  return { startPlanDone, startedThisBoot, upBefore }
}
