import type { GuestExit } from '@covirt/local'
import type { ProcessEnd } from './process/qemu-process.js'
import { describeEnd } from './qemu-errors.js'

/** All that is known when a QEMU has ended. */
export interface Farewell {
  /** The reason of QEMU's last SHUTDOWN event (QEMU: qapi/run-state.json, `ShutdownCause`). */
  readonly cause: string | undefined
  /** We have ended it. */
  readonly killed: boolean
  readonly end: ProcessEnd
  readonly lastWords: readonly string[]
}

/** How a guest has ended, from what its QEMU left. */
export function exitOf({ cause, killed, end, lastWords }: Farewell): GuestExit {
  if (killed) return { kind: 'killed' }
  switch (cause) {
    case 'guest-shutdown':
    case 'guest-reset':
    case 'host-ui':
      return { kind: 'shutdown' }
    case 'host-qmp-quit':
    case 'host-signal':
      return { kind: 'killed' }
    case 'guest-panic':
      return { kind: 'crashed', message: 'The guest has panicked' }
    default: {
      const words = lastWords.length > 0 ? `: ${lastWords.join('; ')}` : ''
      return { kind: 'crashed', message: `QEMU has ended by itself (${describeEnd(end)})${words}` }
    }
  }
}
