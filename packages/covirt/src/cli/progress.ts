import type { Cli } from './cli.js'
import { printable } from './text-width.js'

/** One line on standard error that says how far things are, where a person watches. */
export interface Progress {
  step(text: string): void
  /** Takes the line away. */
  end(): void
}

const clearLine = '\r\x1b[K'

/** Begins a line of progress; one that does nothing where nobody watches. */
export function startProgress(cli: Cli, title: string): Progress {
  if (!cli.watched) return { step: () => {}, end: () => {} }
  const begun = performance.now()
  let text = ''
  const draw = () => {
    const seconds = Math.floor((performance.now() - begun) / 1000)
    const line = printable(`${title}  ${seconds} s  ${text}`).slice(0, (cli.stderr.columns ?? 80) - 1)
    cli.stderr.write(`${clearLine}${cli.colour.dim(line)}`)
  }
  const timer = setInterval(draw, 1000)
  draw()
  return {
    step: (next) => {
      text = next
      draw()
    },
    end: () => {
      clearInterval(timer)
      cli.stderr.write(clearLine)
    },
  }
}
