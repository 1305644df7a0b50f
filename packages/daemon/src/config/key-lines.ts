/** A key in a TOML document: names of tables, indices of their arrays. */
export type KeyPath = readonly (string | number)[]

const header = /^\s*(\[{1,2})\s*([^[\]]+?)\s*\]{1,2}\s*(?:#.*)?$/
const assignment = /^\s*([A-Za-z0-9_."' -]+?)\s*=/

/**
 * The line, from 1, on which `key` of the TOML document `text` is set; where it is not, the line of the table that
 * it would be in; `undefined` where that is not there either. Looks at tables and assignments alone: what is inside
 * of inline tables and arrays is found at the line where those begin.
 */
export function lineOfKey(text: string, key: KeyPath): number | undefined {
  const lines = linesOfKeys(text)
  for (let length = key.length; length > 0; length -= 1) {
    const line = lines.get(JSON.stringify(key.slice(0, length)))
    if (line !== undefined) return line
  }
  return undefined
}

function linesOfKeys(text: string): ReadonlyMap<string, number> {
  const lines = new Map<string, number>()
  const counts = new Map<string, number>()
  let table: KeyPath = []
  for (const [index, line] of text.split('\n').entries()) {
    const [, brackets, name] = header.exec(line) ?? []
    if (name !== undefined) {
      const path = withIndices(splitKey(name), counts)
      const key = JSON.stringify(path)
      if (brackets === '[[') {
        const position = counts.get(key) ?? 0
        counts.set(key, position + 1)
        table = [...path, position]
      } else table = path
      note(lines, table, index + 1)
      continue
    }
    const [, assigned] = assignment.exec(line) ?? []
    if (assigned !== undefined) note(lines, [...table, ...splitKey(assigned)], index + 1)
  }
  return lines
}

function note(lines: Map<string, number>, path: KeyPath, line: number): void {
  const key = JSON.stringify(path)
  if (!lines.has(key)) lines.set(key, line)
}

/** `[access.rules.more]` is in the last of the `[[access.rules]]` before it. */
function withIndices(names: readonly string[], counts: ReadonlyMap<string, number>): KeyPath {
  const path: (string | number)[] = []
  for (const [index, name] of names.entries()) {
    path.push(name)
    const count = counts.get(JSON.stringify(path))
    if (count !== undefined && index < names.length - 1) path.push(count - 1)
  }
  return path
}

function splitKey(text: string): readonly string[] {
  return text.split('.').map((part) => part.trim().replace(/^(["'])(.*)\1$/, '$2'))
}
