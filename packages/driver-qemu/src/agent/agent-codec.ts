import { VirError } from '@covirt/core'
import { isObject, type JsonObject } from '../qmp/qmp-message.js'

/**
 * The agent's framing (QEMU: docs/interop/qemu-ga-ref, `guest-sync-delimited`). The channel is a serial line:
 * it may hold the remains of an earlier talk, so each talk begins with a byte that is invalid in JSON and a
 * number that the agent gives back after the same byte.
 */
const sentinel = 0xff

/** The request that begins a talk; `id` is to come back. */
export function syncRequest(id: number): Buffer {
  const line = JSON.stringify({ execute: 'guest-sync-delimited', arguments: { id } })
  return Buffer.concat([Buffer.from([sentinel]), Buffer.from(`${line}\n`)])
}

/** Whether `line` answers the {@link syncRequest} with this `id`. */
export function isSyncAnswer(line: string, id: number): boolean {
  const marked = line.lastIndexOf(String.fromCharCode(0xfffd))
  return parseObject(line.slice(marked + 1))?.return === id
}

/** A command of a user's as one line; `INVALID_ARG` where it is not a JSON object. */
export function agentRequest(command: string): string {
  const value = parseObject(command)
  if (value) return JSON.stringify(value)
  throw new VirError('INVALID_ARG', 'The agent command is not a JSON object', {
    domain: 'QEMU',
    hint: 'For example {"execute":"guest-ping"}',
  })
}

/** The JSON object in `text`, `undefined` where it is none. */
export function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
