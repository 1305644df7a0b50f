import { VirError } from '@covirt/core'

/** What extended headers say of the entry after them, in place of what its own header does. */
export interface Extensions {
  readonly path?: string
  readonly link?: string
  readonly size?: number
}

/** GNU's way to say long names: an entry `L` or `K` before the one meant, with the name as its content. */
export function longName(type: string, content: Buffer): Extensions {
  const end = content.indexOf(0)
  const name = content.toString('latin1', 0, end < 0 ? content.length : end)
  return type === 'L' ? { path: name } : { link: name }
}

/**
 * The records `LENGTH KEY=VALUE\n` of a pax header (pax(1)) that concern where an entry goes. `OPERATION_FAILED` for
 * those of sparse files, which have their names in places of their own.
 */
export function paxRecords(content: Buffer): Extensions {
  let found: Extensions = {}
  for (let at = 0; at < content.length; ) {
    const blank = content.indexOf(0x20, at)
    const length = content.toString('latin1', at, Math.max(blank, at))
    const end = at + Number(length)
    const record = content.toString('latin1', blank + 1, end - 1)
    const equals = record.indexOf('=')
    const isWhole =
      /^\d{1,10}$/.test(length) && end <= content.length && content[end - 1] === 0x0a && equals > 0
    if (!isWhole) throw refused('an extended header is damaged')
    found = { ...found, ...readRecord(record.slice(0, equals), record.slice(equals + 1)) }
    at = end
  }
  return found
}

function readRecord(key: string, value: string): Extensions {
  if (key.startsWith('GNU.sparse')) throw refused('it has sparse files: make it without --sparse')
  // Programs end names there that do not expect it, and then mean another file.
  if (value.includes('\0') && (key === 'path' || key === 'linkpath'))
    throw refused('a name holds a zero byte')
  if (key === 'path') return { path: value }
  if (key === 'linkpath') return { link: value }
  if (key !== 'size') return {}
  if (!/^\d{1,15}$/.test(value)) throw refused('a size is none')
  return { size: Number(value) }
}

function refused(why: string): VirError {
  return new VirError('OPERATION_FAILED', `The archive cannot be used: ${why}`)
}
