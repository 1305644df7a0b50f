import { fstatSync } from 'node:fs'
import { type Clock, type Logger, systemClock } from '@covirt/core'
import { journalLine, jsonLine, type LogFormatter, type LogLevel, textLine } from './log-format.js'
import { logLevels } from './log-options.js'

/** In what form entries are written. */
export type LogForm = 'journal' | 'json' | 'text'

const formatters: Readonly<Record<LogForm, LogFormatter>> = {
  journal: journalLine,
  json: jsonLine,
  text: textLine,
}

/** Writes entries as lines. Level and form can be changed at any time. */
export class StreamLogger implements Logger {
  readonly error = this.#at('error')
  readonly warn = this.#at('warn')
  readonly info = this.#at('info')
  readonly debug = this.#at('debug')
  readonly #write: (line: string) => void
  readonly #clock: Clock
  #level: LogLevel = 'info'
  #format: LogFormatter = textLine

  constructor(write: (line: string) => void, { clock = systemClock }: { readonly clock?: Clock } = {}) {
    this.#write = write
    this.#clock = clock
  }

  configure({ level, form }: { readonly level: LogLevel; readonly form: LogForm }): void {
    this.#level = level
    this.#format = formatters[form]
  }

  #at(level: LogLevel): Logger['info'] {
    return (message, fields = {}) => {
      if (logLevels.indexOf(level) > logLevels.indexOf(this.#level)) return
      this.#write(`${this.#format({ level, message, fields, timeMs: this.#clock.now() })}\n`)
    }
  }
}

/** The form in which entries are best written to standard error: as journald wants them where it reads that. */
export function automaticForm(environment: NodeJS.ProcessEnv = process.env): LogForm {
  return isJournal(environment.JOURNAL_STREAM) ? 'journal' : 'text'
}

/** `$JOURNAL_STREAM` is inherited by programs whose output goes elsewhere: it names what it is true of (systemd.exec(5)). */
function isJournal(stream: string | undefined): boolean {
  if (stream === undefined) return false
  try {
    const { dev, ino } = fstatSync(2, { bigint: true })
    return stream === `${dev}:${ino}`
  } catch {
    return false
  }
}
