import { isVirError, messageOf } from '@covirt/core'
import type { Colour } from './colour.js'
import { toJson } from './output.js'
import { printable } from './text-width.js'

/** An error as the command prints it: for people, or as one line `{"error":{…}}`. */
export function formatError(
  error: unknown,
  options: { readonly json: boolean; readonly debug: boolean; readonly colour: Colour },
): string {
  if (options.json) return `${toJson({ error: toPlain(error) })}\n`
  const lines = [`${options.colour.red('error:')} ${printable(messageOf(error))}`]
  if (isVirError(error) && error.hint !== undefined)
    lines.push(`${options.colour.dim('hint:')}  ${printable(error.hint)}`)
  if (options.debug) lines.push(...causes(error))
  return lines.map((line) => `${line}\n`).join('')
}

function toPlain(error: unknown): object {
  if (isVirError(error)) return error.toJSON()
  return { code: 'INTERNAL_ERROR', number: 1, domain: 'NONE', message: messageOf(error) }
}

function causes(error: unknown): string[] {
  const lines: string[] = []
  for (let cause = error; cause !== undefined; cause = cause instanceof Error ? cause.cause : undefined) {
    const text = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
    lines.push(...text.split('\n').map(printable))
  }
  return lines
}
