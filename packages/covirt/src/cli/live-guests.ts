import type { Progress, ProgressPhase } from '@covirt/lifecycle'
import { type Colour, colourOf } from './colour.js'
import type { CommandOutput } from './command-process.js'
import { printable, textWidth } from './text-width.js'

const ended: ReadonlySet<ProgressPhase> = new Set(['ready', 'not-ready', 'failed', 'skipped', 'off', 'left'])
const redrawMs = 100

/**
 * Shows how far each guest is. On a terminal, a line for each that is under way, redrawn as it goes, below one for each
 * that is through; elsewhere one line for each that is through.
 */
export class LiveGuests {
  readonly #screen: CommandOutput
  readonly #colour: Colour
  readonly #begunAt = new Map<string, number>()
  readonly #underWay = new Map<string, Progress>()
  readonly #timer: NodeJS.Timeout | undefined
  #drawn = 0
  #pending: string[] = []

  constructor(screen: CommandOutput, environment: NodeJS.ProcessEnv) {
    this.#screen = screen
    this.#colour = colourOf(screen, environment)
    if (screen.isTTY) this.#timer = setInterval(() => this.#draw(), redrawMs)
  }

  tell(progress: Progress): void {
    const { uuid, at, phase } = progress
    if (!this.#begunAt.has(uuid)) this.#begunAt.set(uuid, at)
    if (!ended.has(phase)) {
      this.#underWay.set(uuid, progress)
      return
    }
    this.#underWay.delete(uuid)
    this.#pending.push(this.#line(progress, at))
    if (!this.#timer) this.#flush()
  }

  /** Takes away the lines of what is under way. */
  end(): void {
    clearInterval(this.#timer)
    this.#underWay.clear()
    this.#draw()
  }

  #draw(): void {
    if (!this.#screen.isTTY) {
      this.#flush()
      return
    }
    const up = this.#drawn > 0 ? `\x1b[${this.#drawn}A\r\x1b[J` : ''
    const room = Math.max(1, (this.#screen.rows ?? 24) - 2)
    const now = Date.now()
    const shown = [...this.#underWay.values()].slice(0, room)
    const lines = shown.map((each) => this.#line(each, now))
    const more = this.#underWay.size - shown.length
    if (more > 0) lines.push(this.#colour.dim(`  … and ${more} more`))
    const done = this.#pending.splice(0)
    this.#screen.write(`${up}${[...done, ...lines].map((line) => `${line}\n`).join('')}`)
    this.#drawn = lines.length
  }

  #flush(): void {
    for (const line of this.#pending.splice(0)) this.#screen.write(`${line}\n`)
  }

  #line({ uuid, name, phase, detail }: Progress, now: number): string {
    const seconds = ((now - (this.#begunAt.get(uuid) ?? now)) / 1000).toFixed(1)
    const text = printable(
      `${mark(phase)} ${name.padEnd(20)} ${phase.padEnd(9)} ${seconds.padStart(6)} s  ${detail ?? ''}`,
    ).trimEnd()
    return this.#paint(phase)(this.#cut(text))
  }

  #cut(text: string): string {
    const columns = this.#screen.isTTY ? (this.#screen.columns ?? 80) - 1 : Number.POSITIVE_INFINITY
    if (textWidth(text) <= columns) return text
    let cut = text
    while (textWidth(cut) >= columns) cut = cut.slice(0, -1)
    return `${cut}…`
  }

  #paint(phase: ProgressPhase): (text: string) => string {
    if (phase === 'failed') return this.#colour.red
    if (phase === 'ready' || phase === 'off') return this.#colour.green
    if (phase === 'not-ready' || phase === 'skipped' || phase === 'left') return this.#colour.yellow
    return this.#colour.dim
  }
}

function mark(phase: ProgressPhase): string {
  if (phase === 'failed') return '✗'
  if (phase === 'ready' || phase === 'off') return '✓'
  return ended.has(phase) ? '!' : '·'
}
