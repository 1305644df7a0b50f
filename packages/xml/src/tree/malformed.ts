import { VirError } from '@covirt/core'

/** The error for text that is not an acceptable XML document; `offset` is where in `text` it shows. */
export function malformed(what: string, text?: string, offset?: number, hint?: string): VirError {
  const where = text === undefined || offset === undefined ? '' : `line ${position(text, offset)}: `
  return new VirError('XML_ERROR', `${where}${what}`, {
    domain: 'XML',
    ...(hint === undefined ? {} : { hint }),
  })
}

function position(text: string, offset: number): string {
  let line = 1
  let start = 0
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) {
    line++
    start = at + 1
  }
  return `${line}, column ${offset - start + 1}`
}
