/** A JSON object as it came from QEMU: nothing is known of its members. */
export type JsonObject = Readonly<Record<string, unknown>>

/** What QEMU sends on a QMP channel (QEMU: docs/interop/qmp-spec.txt). */
export type QmpMessage =
  | { readonly kind: 'greeting'; readonly version: string }
  | { readonly kind: 'return'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'error'; readonly id: number | undefined; readonly class: string; readonly text: string }
  | { readonly kind: 'event'; readonly event: QmpEvent }

/** Something that happened in QEMU by itself, for example `{ name: 'RESET', data: { guest: true } }`. */
export interface QmpEvent {
  readonly name: string
  readonly data: JsonObject
}

/** Reads one line of QMP; throws where it is none. */
export function parseQmpMessage(line: string): QmpMessage {
  const message: unknown = JSON.parse(line)
  if (!isObject(message)) throw new SyntaxError('not a JSON object')
  if (isObject(message.QMP)) return { kind: 'greeting', version: versionOf(message.QMP) }
  if (typeof message.event === 'string')
    return { kind: 'event', event: { name: message.event, data: isObject(message.data) ? message.data : {} } }
  if (isObject(message.error)) {
    const { class: errorClass, desc } = message.error
    const id = typeof message.id === 'number' ? message.id : undefined
    return { kind: 'error', id, class: String(errorClass), text: String(desc) }
  }
  if ('return' in message && typeof message.id === 'number')
    return { kind: 'return', id: message.id, value: message.return }
  throw new SyntaxError('neither greeting, answer nor event')
}

/** Whether `value` is a JSON object (not an array). */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function versionOf(greeting: JsonObject): string {
  const version = isObject(greeting.version) && isObject(greeting.version.qemu) ? greeting.version.qemu : {}
  return [version.major, version.minor, version.micro].join('.')
}
