import type { JournalEntry } from './journal.js'

/** What is asked of a journal. */
export interface JournalRequest {
  /**
   * Only of the domain that has, or had last, this name or uuid, each thing that happened once; also where it is not
   * there any more. Default: all.
   */
  readonly domain?: string | undefined
  /** Only so many of the latest entries. Default: all; from another process, the latest 3 MiB. */
  readonly last?: number | undefined
}

/** The entries that are asked for, in their order. */
export function selectEntries(
  entries: readonly JournalEntry[],
  { domain, last }: JournalRequest,
): readonly JournalEntry[] {
  const own = domain === undefined ? entries : entriesOf(entries, domain)
  return last === undefined ? own : own.slice(-last)
}

/** By one uuid: a domain keeps its entries when it is renamed. */
function entriesOf(entries: readonly JournalEntry[], domain: string): readonly JournalEntry[] {
  const known = entries.findLast(
    ({ uuid, name }) => uuid === domain || (uuid !== undefined && name === domain),
  )
  return known?.uuid === undefined ? [] : historyOfDomain(entries, known.uuid)
}

/** How much later than a plan's own entry another process may note the same. */
const echoMs = 5000

/**
 * What the journal knows of one domain, oldest first, each thing once: a daemon also notes what it sees happen of that
 * which another process brings about, and notes itself, with how long it took.
 */
function historyOfDomain(entries: readonly JournalEntry[], uuid: string): readonly JournalEntry[] {
  const told: JournalEntry[] = []
  for (const entry of entries) {
    if (entry.uuid !== uuid) continue
    const at = told.findLastIndex(isTransition)
    const last = told[at]
    if (!last || !isTransition(entry) || !areSame(last, entry)) told.push(entry)
    else if (isSeen(last)) told[at] = entry
  }
  return told
}

function isTransition({ event, how }: JournalEntry): boolean {
  return (event === 'started' || event === 'stopped') && how !== 'gone'
}

function areSame(one: JournalEntry, other: JournalEntry): boolean {
  const near = one.boot === other.boot && Math.abs(one.at - other.at) <= echoMs
  return near && one.event === other.event && isSeen(one) !== isSeen(other)
}

/** It was noted by somebody who saw it, not by whoever did it. */
function isSeen({ tookMs }: JournalEntry): boolean {
  return tookMs === undefined
}
