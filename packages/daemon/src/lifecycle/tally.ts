import type { Progress } from '@covirt/lifecycle'

/** How many guests a plan is through with, in words. */
export class Tally {
  readonly #seen = new Set<string>()
  readonly #through = new Set<string>()
  readonly #tell: (text: string) => void

  constructor(tell: (text: string) => void) {
    this.#tell = tell
  }

  count({ uuid, phase, name }: Progress): void {
    this.#seen.add(uuid)
    if (!ended.has(phase)) return
    this.#through.add(uuid)
    this.#tell(`${this.#through.size} of ${this.#seen.size}, last '${name}' (${phase})`)
  }
}

const ended: ReadonlySet<Progress['phase']> = new Set([
  'ready',
  'not-ready',
  'failed',
  'skipped',
  'off',
  'left',
])
