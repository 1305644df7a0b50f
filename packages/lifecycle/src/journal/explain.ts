import type { JournalEntry } from './journal.js'

/** What `selectEntries` tells of one domain, as lines for people. */
export function explain(entries: readonly JournalEntry[]): readonly string[] {
  const lines: string[] = []
  let boot: string | undefined
  for (const entry of entries) {
    if (boot !== undefined && entry.boot !== boot) lines.push('--- the host booted ---')
    boot = entry.boot
    lines.push(`${timeOf(entry.at)}  ${sentenceOf(entry)}`)
  }
  return lines
}

function sentenceOf({ event, actor, how, why, tookMs }: JournalEntry): string {
  const took = tookMs === undefined ? '' : ` after ${Number((tookMs / 1000).toFixed(2))} s`
  const reason = why === undefined ? '' : `: ${why}`
  return `${verbs[event] ?? event}${how === undefined ? '' : ` (${how})`}${took}, ${actors[actor] ?? actor}${reason}`
}

const verbs: Readonly<Record<JournalEntry['event'], string>> = {
  'plan-began': 'a plan began',
  'plan-ended': 'a plan ended',
  starting: 'is being started',
  started: 'started',
  ready: 'ready',
  'not-ready': 'runs, but is not ready',
  'start-failed': 'could not be started',
  skipped: 'was not started',
  stopping: 'is being stopped',
  stopped: 'went off',
  'stop-failed': 'could not be stopped',
  'once-over': 'is not to be started once any more',
  left: 'was left up',
  rebooted: 'restarted',
}

const actors: Readonly<Record<JournalEntry['actor'], string>> = {
  boot: 'by the plan of the boot',
  'power-off': 'as the host goes down',
  user: 'for a user',
  guest: 'by itself',
  'on-crash': 'by its <on_crash>',
}

/** Local time to the second, as people write it down. */
function timeOf(at: number): string {
  const date = new Date(at)
  const pad = (number: number) => String(number).padStart(2, '0')
  const day = [date.getFullYear(), pad(date.getMonth() + 1), pad(date.getDate())].join('-')
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(pad).join(':')}`
}
