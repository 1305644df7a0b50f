import { crc32 } from 'node:zlib'
import type { JournalEntry } from './journal.js'

/** Reasons can be whole error messages of programs; the journal is no place for more than this of them. */
const longestText = 1000

/** One line: the checksum of the rest in eight hexadecimal digits, a space, the entry as JSON, a line feed. */
export function encodeEntry(entry: JournalEntry): string {
  const json = JSON.stringify(entry, (_key, value: unknown) =>
    typeof value === 'string' && value.length > longestText ? `${value.slice(0, longestText)}…` : value,
  )
  return `${checksum(json)} ${json}\n`
}

/** The entries of those lines that are whole. */
export function decodeLines(text: string): readonly JournalEntry[] {
  return text.split('\n').flatMap((line): readonly JournalEntry[] => {
    const json = line.slice(9)
    if (line.length < 10 || line.slice(0, 8) !== checksum(json)) return []
    try {
      const value: unknown = JSON.parse(json)
      return isEntry(value) ? [value] : []
    } catch {
      return []
    }
  })
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0')
}

function isEntry(value: unknown): value is JournalEntry {
  if (typeof value !== 'object' || value === null) return false
  const { at, boot, event, actor } = value as Partial<Record<keyof JournalEntry, unknown>>
  return typeof at === 'number' && [boot, event, actor].every((each) => typeof each === 'string')
}
