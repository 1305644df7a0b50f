import type { Logger } from '@covirt/core'

/** How serious an entry is. */
export type LogLevel = keyof Logger

/** One thing that happened. */
interface LogEntry {
  readonly level: LogLevel
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
  /** In milliseconds since 1970. */
  readonly timeMs: number
}

/** Makes one line of an entry, without the line's end. */
export type LogFormatter = (entry: LogEntry) => string

/** syslog(3) priorities. */
const priorities: Readonly<Record<LogLevel, number>> = { error: 3, warn: 4, info: 6, debug: 7 }

/** What journald reads from a standard output (sd-daemon(3)): it adds the time, and reads the priority. */
export const journalLine: LogFormatter = ({ level, message, fields }) =>
  `<${priorities[level]}>${oneLine(message)}${keyValues(fields)}`

/** One JSON object a line. Fields never hide the four that each entry has. */
export const jsonLine: LogFormatter = ({ level, message, fields, timeMs }) =>
  JSON.stringify({ ...plainFields(fields), time: new Date(timeMs).toISOString(), level, message })

/** For people. */
export const textLine: LogFormatter = ({ level, message, fields, timeMs }) =>
  `${new Date(timeMs).toISOString()} ${level.padEnd(5)} ${oneLine(message)}${keyValues(fields)}`

function keyValues(fields: LogEntry['fields']): string {
  return Object.entries(plainFields(fields))
    .map(([key, value]) => ` ${key}=${quoted(typeof value === 'string' ? value : JSON.stringify(value))}`)
    .join('')
}

/** An entry is one line, and no value can look like another key. */
function quoted(text: string): string {
  return /^[\w.:/@%+,-]+$/.test(text) ? text : oneLine(JSON.stringify(text))
}

function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: terminals and journald act on them
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ')
}

/** Of values that JSON can say. Undefined ones are left out. */
function plainFields(fields: LogEntry['fields']): Readonly<Record<string, unknown>> {
  const plain = Object.entries(fields).map(([key, value]) => [key, plainValue(value)] as const)
  return Object.fromEntries(plain.filter(([, value]) => value !== undefined))
}

function plainValue(value: unknown): unknown {
  if (value instanceof Error) return errorText(value)
  if (typeof value === 'function' || typeof value === 'symbol') return String(value)
  try {
    const text = JSON.stringify(value, (_, inner: unknown) => {
      if (typeof inner === 'bigint') return inner.toString()
      return inner instanceof Error ? errorText(inner) : inner
    })
    return text === undefined ? undefined : JSON.parse(text)
  } catch {
    return String(value)
  }
}

/** With what led to it, as far as that is told too. */
function errorText(error: Error): string {
  const { code } = error as { readonly code?: unknown }
  const own = typeof code === 'string' ? `${code}: ${error.message}` : error.message
  const seen = new Set<unknown>([error])
  let text = own
  for (let { cause } = error; cause instanceof Error && !seen.has(cause); { cause } = cause) {
    seen.add(cause)
    text += ` (${cause.message})`
  }
  return text
}
