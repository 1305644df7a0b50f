import type { Connection, DomainStateName, DriverEvent } from '@covirt/core'

/** What a program that follows events knows of all domains: state by uuid. */
export class EventView {
  readonly states = new Map<string, DomainStateName>()
  /** Every event that came, and `resync` where some may be missing. */
  readonly story: string[] = []
  #resyncs = 0
  readonly #connection: Connection
  /** Counts events by domain, so that a list that is older than they is not believed. */
  readonly #touched = new Map<string, number>()
  #clock = 0
  #pending: Promise<void> = Promise.resolve()

  constructor(connection: Connection) {
    this.#connection = connection
  }

  get resyncs(): number {
    return this.#resyncs
  }

  /** Takes in one event; a `resync` makes it list everything. */
  take(event: DriverEvent): void {
    if (event.type === 'resync') {
      this.#resyncs++
      this.story.push('resync')
      this.#pending = this.#pending.then(() => this.#list())
      return
    }
    this.story.push(storyLine(event))
    if (event.type !== 'lifecycle') return
    this.#touched.set(event.domain.uuid, ++this.#clock)
    if (event.event === 'started' || event.event === 'resumed') this.states.set(event.domain.uuid, 'running')
    if (event.event === 'suspended') this.states.set(event.domain.uuid, 'paused')
    if (event.event === 'stopped') this.states.set(event.domain.uuid, 'shutoff')
    if (event.event === 'undefined') this.states.delete(event.domain.uuid)
  }

  /** Resolves once every list that was needed has been made. */
  settled(): Promise<void> {
    return this.#pending
  }

  async #list(): Promise<void> {
    for (;;) {
      const asked = this.#clock
      try {
        const stats = await this.#connection.domains.stats()
        for (const { domain, state } of stats)
          if ((this.#touched.get(domain.uuid) ?? 0) <= asked) this.states.set(domain.uuid, state.state)
        return
      } catch (error) {
        // The peer has gone again: ask once it is back.
        if (this.#connection.closed) throw error
      }
    }
  }
}

/** An event as one line. */
export function storyLine(event: Exclude<DriverEvent, { type: 'resync' }>): string {
  const what = event.type === 'lifecycle' ? `${event.event}/${event.detail}` : event.type
  return `${event.domain.name} ${what}`
}

/**
 * Whether `story` is the whole of `truth`, in order, but for gaps that a `resync` stands in: what is wrong, or
 * `undefined`.
 */
export function wrongIn(story: readonly string[], truth: readonly string[]): string | undefined {
  const parts = split(story)
  let at = 0
  for (const [index, part] of parts.entries()) {
    const last = index === parts.length - 1
    const from = index === 0 ? 0 : at
    const to = index === 0 ? 0 : truth.length - part.length
    const earliest = last && part.length > 0 ? Math.max(from, to) : from
    let found = earliest
    while (found <= to && !part.every((line, offset) => truth[found + offset] === line)) found++
    if (found > to) return `Part ${index} of the story did not happen so: ${part.slice(0, 10).join(', ')} …`
    at = found + part.length
    if (last && part.length > 0 && at < truth.length) return `'${truth[at]}' was never told`
  }
  return undefined
}

/** The parts between one `resync` and the next. */
function split(story: readonly string[]): readonly (readonly string[])[] {
  const parts: string[][] = [[]]
  for (const line of story) {
    if (line === 'resync') parts.push([])
    else parts.at(-1)?.push(line)
  }
  return parts
}
