import { ValueProblem } from './path.js'
import { quote, type Scalar } from './scalar.js'

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, min: 60_000, m: 60_000, h: 3_600_000 }
const written = ['h', 'min', 's', 'ms'] as const
const longestMs = 366 * 24 * 3_600_000
const form = 'Write it as 500ms, 5s, 1min 30s or 2h; a number alone is seconds.'

/** A span of time in whole milliseconds, up to a year: `500ms`, `5s`, `1min 30s`, `2h`; a number alone is seconds. */
export const duration: Scalar<number> = { read: readDuration, write: writeDuration }

function readDuration(text: string): number {
  const plain = text.trim()
  if (plain.length > 40 || !/^(?:[0-9]{1,12}(?:\.[0-9]{1,3})?\s*(?:ms|s|min|m|h)?\s*)+$/.test(plain)) {
    throw new ValueProblem(`${quote(plain)} is not a span of time`, form)
  }
  let ms = 0
  for (const [, number = '', unit = 's'] of plain.matchAll(/([0-9]+(?:\.[0-9]+)?)\s*(ms|s|min|m|h)?/g)) {
    ms += Number(number) * (unitMs[unit] ?? Number.NaN)
  }
  return check(Math.round(ms))
}

function writeDuration(ms: number): string {
  if (!Number.isSafeInteger(ms)) throw new TypeError(`${String(ms)} is not a whole number of milliseconds`)
  check(ms)
  const unit = written.find((name) => ms > 0 && ms % (unitMs[name] ?? Number.NaN) === 0) ?? 's'
  return `${ms / (unitMs[unit] ?? Number.NaN)}${unit}`
}

function check(ms: number): number {
  if (ms >= 0 && ms <= longestMs) return ms
  throw new ValueProblem(`${ms} ms is out of range`, 'Allowed is 0 to 366 days.')
}
