import { type CallOptions, type Clock, isVirError, messageOf, VirError } from '@covirt/core'
import type { Requirement } from '../model/policy.js'
import { within } from './within.js'

/** Finds out whether something of the host is there. Each rejects where that cannot be found out. */
export interface HostConditions {
  /** Whether something is mounted at this path. */
  mount(path: string, options: CallOptions): Promise<boolean>
  /** Whether the interface or bridge of this name is up, or the network that somebody has under this name. */
  network(name: string, options: CallOptions): Promise<boolean>
  /** Whether the directory is there, or the pool that somebody has under this name. */
  pool(name: string, options: CallOptions): Promise<boolean>
}

const pollMs = 500

/** Resolves once it is there. Rejects, saying what is missing, after the requirement's time. */
export async function waitForRequirement(
  { kind, name, timeoutMs }: Requirement,
  { conditions, clock, signal }: CallOptions & { readonly conditions: HostConditions; readonly clock: Clock },
): Promise<void> {
  let last: unknown
  try {
    await within(clock, timeoutMs, { signal }, async (options) => {
      for (;;) {
        try {
          if (await conditions[kind](name, options)) return
        } catch (error) {
          last = error
          // No time mends a wrong name.
          if (isVirError(error, 'INVALID_ARG')) throw error
        }
        await clock.sleep(pollMs, options)
      }
    })
  } catch (cause) {
    if (signal?.aborted || isVirError(cause, 'INVALID_ARG')) throw cause
    const why = last === undefined ? '' : `: ${messageOf(last)}`
    throw new VirError(
      'OPERATION_TIMEOUT',
      `${kind} '${name}' is not there after ${timeoutMs / 1000} s${why}`,
      {
        domain: 'DOM',
        cause,
      },
    )
  }
}
