import type { XmlLimits } from './limits.js'
import { malformed } from './malformed.js'

/**
 * The text of a document that is worth parsing: short enough, well-formed Unicode, no characters that XML
 * forbids, no document type. Costs one pass, before the parser sees anything.
 */
export function checkInput(input: string | Uint8Array, limits: XmlLimits): string {
  const length = typeof input === 'string' ? input.length : input.byteLength
  if (length > limits.maxLength) {
    throw malformed(`the document is too long: ${length}, at most ${limits.maxLength} are allowed`)
  }
  const text = typeof input === 'string' ? input : decode(input)
  const illegal = illegalCharacter(text)
  if (illegal !== undefined) {
    const code = text.charCodeAt(illegal).toString(16).padStart(4, '0')
    throw malformed(`character U+${code.toUpperCase()} is not allowed in XML`, text, illegal)
  }
  refuseDoctype(text)
  return text
}

/** The offset of the first character that XML does not allow. */
export function illegalCharacter(text: string): number | undefined {
  // \p{Surrogate} with the u flag matches only surrogates that are not part of a pair.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  const at = text.search(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\p{Surrogate}]/u)
  return at === -1 ? undefined : at
}

function decode(bytes: Uint8Array): string {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw malformed('the document is not valid UTF-8', undefined, undefined, 'Save the document as UTF-8.')
  }
  const declared = /^\ufeff?<\?xml[^>]*?\sencoding\s*=\s*["']([^"'>]*)["']/.exec(text)?.[1]
  if (declared !== undefined && !/^(utf-?8|us-ascii|ascii)$/i.test(declared)) {
    throw malformed(`encoding ${declared} is not supported`, text, 0, 'Save the document as UTF-8.')
  }
  return text
}

// The parser reports a document type only when it has read all of it; entity bombs end here instead.
function refuseDoctype(text: string): void {
  let at = text.startsWith('\ufeff') ? 1 : 0
  for (;;) {
    while (' \t\r\n'.includes(text[at] ?? '.')) at++
    const end = text.startsWith('<?', at) ? '?>' : text.startsWith('<!--', at) ? '-->' : undefined
    if (end === undefined) break
    const close = text.indexOf(end, at + end.length + 1)
    if (close === -1) return
    at = close + end.length
  }
  if (text.startsWith('<!', at)) {
    throw malformed(
      'a document type is not allowed',
      text,
      at,
      'Remove <!DOCTYPE …> and entity declarations.',
    )
  }
}
