/** Whether `text` as a whole is one of `patterns`, in which `*` stands for any number of characters. */
export function matchesAny(patterns: readonly string[], text: string): boolean {
  return patterns.some((pattern) => matches(pattern.split('*'), text))
}

/** Takes the leftmost place for each part between two stars: no pattern makes it look twice at one place. */
function matches([first = '', ...others]: readonly string[], text: string): boolean {
  const last = others.pop()
  if (last === undefined) return text === first
  if (!text.startsWith(first)) return false
  let position = first.length
  for (const part of others) {
    const found = text.indexOf(part, position)
    if (found < 0) return false
    position = found + part.length
  }
  return text.length - position >= last.length && text.endsWith(last)
}
