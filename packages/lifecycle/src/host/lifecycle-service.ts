import { type CallOptions, VirError } from '@covirt/core'
import type { JournalEntry } from '../journal/journal.js'
import type { Progress } from '../run/progress.js'
import type { HostLifecycle } from './host-lifecycle.js'

/** By this name servers offer it. */
export const lifecycleServiceName = 'lifecycle'

/** How long what is told of a journal may be as JSON: servers bound the length of an answer. */
const maxJournalBytes = 3 << 20

/** What a method knows of its call, besides its arguments. */
interface ServiceCall extends CallOptions {
  readonly onProgress: (value: Progress) => void
}

interface Method<C> {
  /** What a client needs to be allowed. */
  readonly role: 'read' | 'operate'
  /** Whether it is done also where nothing else may be changed. */
  readonly whileDrained?: boolean
  readonly call: (args: readonly unknown[], options: C) => Promise<unknown>
}

/**
 * Plans for other processes: what a `PeerLifecycle` calls, by the names of the methods. `lifecycleOf` says whose they
 * are. Arguments are checked: `INVALID_ARG` where they make no sense.
 */
export function lifecycleService<C extends ServiceCall>(
  lifecycleOf: (options: C) => Promise<HostLifecycle>,
): Readonly<Record<keyof HostLifecycle, Method<C>>> {
  return {
    planStart: {
      role: 'read',
      call: async (args, options) => {
        const { only, limit } = fieldsOf(args)
        return (await lifecycleOf(options)).planStart(
          { only: uuids(only), limit: count('limit', limit) },
          options,
        )
      },
    },
    planStop: {
      role: 'read',
      call: async (args, options) => {
        const { only, deadlineMs } = fieldsOf(args)
        const request = { only: uuids(only), deadlineMs: milliseconds('deadlineMs', deadlineMs) }
        return (await lifecycleOf(options)).planStop(request, options)
      },
    },
    up: {
      role: 'operate',
      call: async (args, options) => {
        const { only, limit, boot, takenDown } = fieldsOf(args)
        const request = {
          only: uuids(only),
          limit: count('limit', limit),
          boot: flag('boot', boot),
          takenDown: flag('takenDown', takenDown),
        }
        return (await lifecycleOf(options)).up(request, options)
      },
    },
    down: {
      role: 'operate',
      whileDrained: true,
      call: async (args, options) => {
        const { only, deadlineMs, host } = fieldsOf(args)
        const request = {
          only: uuids(only),
          deadlineMs: milliseconds('deadlineMs', deadlineMs),
          host: flag('host', host),
        }
        return (await lifecycleOf(options)).down(request, options)
      },
    },
    journal: {
      role: 'read',
      call: async (args, options) => {
        const { domain, last } = fieldsOf(args)
        if (domain !== undefined && typeof domain !== 'string') throw wrong('domain', 'a name or a uuid')
        const request = { domain, last: count('last', last) }
        return latest(await (await lifecycleOf(options)).journal(request, options))
      },
    },
  }
}

/** As many of the latest entries as one answer holds. */
function latest(entries: readonly JournalEntry[]): readonly JournalEntry[] {
  let bytes = 0
  const tooMany = entries.findLastIndex((entry) => {
    bytes += Buffer.byteLength(JSON.stringify(entry)) + 1
    return bytes > maxJournalBytes
  })
  return entries.slice(tooMany + 1)
}

function fieldsOf([request]: readonly unknown[]): Readonly<Record<string, unknown>> {
  if (typeof request === 'object' && request !== null) return request as Readonly<Record<string, unknown>>
  if (request === undefined) return {}
  throw wrong('the request', 'an object')
}

function uuids(value: unknown): readonly string[] | undefined {
  if (value === undefined) return undefined
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value
  throw wrong('only', 'a list of uuids')
}

function count(name: string, value: unknown): number | undefined {
  if (value === undefined || (Number.isSafeInteger(value) && (value as number) > 0))
    return value as number | undefined
  throw wrong(name, 'a whole number above 0')
}

function milliseconds(name: string, value: unknown): number | undefined {
  if (value === undefined || (Number.isFinite(value) && (value as number) >= 0))
    return value as number | undefined
  throw wrong(name, 'a number of milliseconds')
}

function flag(name: string, value: unknown): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value
  throw wrong(name, 'true or false')
}

function wrong(what: string, expected: string): VirError {
  return new VirError('INVALID_ARG', `${what} is to be ${expected}`)
}
