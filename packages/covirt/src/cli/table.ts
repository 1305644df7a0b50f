import { printable, textWidth } from './text-width.js'

/** One cell: its text, and how it is coloured once it has been padded. */
export interface Cell {
  readonly text: string
  readonly paint?: ((text: string) => string) | undefined
}

/** A table as virsh prints it: a heading, a rule, rows; columns three spaces apart, nothing behind the last. */
export function formatTable(
  heading: readonly string[],
  rows: readonly (readonly (Cell | string)[])[],
): string {
  const cells = rows.map((row) => row.map(toCell))
  const widths = heading.map((title, column) =>
    Math.max(textWidth(title), ...cells.map((row) => textWidth(row[column]?.text ?? ''))),
  )
  const line = (row: readonly Cell[]) =>
    ` ${row.map((cell, i) => pad(cell, widths[i] ?? 0)).join('   ')}`.trimEnd()
  const rule = '-'.repeat(widths.reduce((sum, width) => sum + width + 3, 0))
  return [line(heading.map(toCell)), rule, ...cells.map(line)].map((text) => `${text}\n`).join('')
}

/** `Name:   value` lines with aligned values, as virsh's `dominfo`. */
export function formatFields(fields: readonly (readonly [name: string, value: string | number])[]): string {
  const width = Math.max(...fields.map(([name]) => name.length)) + 4
  return fields.map(([name, value]) => `${`${name}:`.padEnd(width)}${printable(String(value))}\n`).join('')
}

function toCell(cell: Cell | string): Cell {
  return typeof cell === 'string' ? { text: printable(cell) } : { ...cell, text: printable(cell.text) }
}

function pad({ text, paint }: Cell, width: number): string {
  return `${paint ? paint(text) : text}${' '.repeat(width - textWidth(text))}`
}
