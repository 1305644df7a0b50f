import { type CallOptions, type Clock, messageOf, VirError } from '@covirt/core'
import type { Requirement } from '../model/policy.js'
import { within } from './within.js'

/** Finds out whether something of the host is there. Each rejects where that cannot be found out. */
export interface HostConditions {
  /** Whether something is mounted at this path. */
  mount(path: string, options: CallOptions): Promise<boolean>
  /** Whether the network, or the bridge or interface of this name, is up. */
  network(name: string, options: CallOptions): Promise<boolean>
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
        }
        await clock.sleep(pollMs, options)
      }
    })
  } catch (cause) {
    if (signal?.aborted) throw cause
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
