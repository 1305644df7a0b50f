import { VirError } from '@covirt/core'
import type { Machine } from './machine.js'

type Command = (machine: Machine, args: Readonly<Record<string, unknown>>) => unknown

/** What the simulated agent knows of the QEMU guest agent's protocol (qemu-ga-ref(7)). */
const commands: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['guest-ping', () => ({})],
  ['guest-sync', (_, { id }) => id],
  ['guest-sync-delimited', (_, { id }) => id],
  ['guest-info', () => ({ version: '1.0.0', supported_commands: [...commands.keys()].map(supported) })],
  ['guest-get-host-name', ({ document }) => ({ 'host-name': document.name })],
  ['guest-shutdown', shutDown],
  ['guest-get-time', ({ timeMs }) => timeMs * 1_000_000],
  [
    'guest-set-time',
    (machine, { time }) => {
      machine.setTime(time === undefined ? undefined : Number(time) / 1e6)
    },
  ],
])

/** The agent's answer, as JSON. */
export function answerOf(machine: Machine, command: string): string {
  const { execute, arguments: args } = parseCommand(command)
  const run = commands.get(execute)
  if (run) return JSON.stringify({ return: run(machine, args) ?? {} })
  const desc = `The command ${execute} has not been found`
  return JSON.stringify({ error: { class: 'CommandNotFound', desc } })
}

/** `INVALID_ARG` where `text` is not a JSON object with a command. */
export function parseCommand(text: string): {
  readonly execute: string
  readonly arguments: Readonly<Record<string, unknown>>
} {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw notACommand(cause)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw notACommand()
  const { execute, arguments: args = {} } = value as { execute?: unknown; arguments?: object }
  if (typeof execute !== 'string') throw notACommand()
  return { execute, arguments: args as Readonly<Record<string, unknown>> }
}

function notACommand(cause?: unknown): VirError {
  return new VirError('INVALID_ARG', 'The agent command is not a JSON object with a command', {
    domain: 'TEST',
    hint: 'For example: {"execute":"guest-ping"}',
    cause,
  })
}

function shutDown(machine: Machine, { mode = 'powerdown' }: Readonly<Record<string, unknown>>): void {
  if (mode === 'reboot') machine.askReboot()
  else machine.pressPower()
}

function supported(name: string): object {
  return { name, enabled: true, 'success-response': name !== 'guest-shutdown' }
}
