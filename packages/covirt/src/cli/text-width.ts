// Making one takes longer than printing a table of plain text.
let segmenter: Intl.Segmenter | undefined
const wide =
  /^(?:\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}])/u
const ascii = /^[\x20-\x7e]*$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const controls = /[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g

/** How many columns of a terminal `text` takes. */
export function textWidth(text: string): number {
  if (ascii.test(text)) return text.length
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' })
  let width = 0
  for (const { segment } of segmenter.segment(text)) width += wide.test(segment) ? 2 : 1
  return width
}

/** `text` without what would move the cursor or change colours: such characters become `?`. */
export function printable(text: string): string {
  return text.replace(controls, '?')
}
