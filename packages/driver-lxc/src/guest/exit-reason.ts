import { constants } from 'node:os'
import type { GuestExit } from '@covirt/local'

/** What is known of the end of a container's init. */
export interface InitEnd {
  /** As wait(2) tells it; `undefined` where nobody listened when it was told. */
  readonly status: number | undefined
  /** It had been asked to go down. */
  readonly asked: boolean
}

const sighup = 1
const sigint = 2

/** Whether the guest asked for a restart: the kernel ends init with SIGHUP then (reboot(2)). */
export function wantsReboot({ status }: InitEnd): boolean {
  return status === sighup
}

/**
 * How a container ended. Power-off and halt inside of it end init with SIGINT (reboot(2)); a program that is no
 * init just exits. Any exit of one that was asked to go down is a shutdown, but for being killed.
 */
export function exitOf({ status, asked }: InitEnd): GuestExit {
  if (status === undefined) {
    return asked ? { kind: 'shutdown' } : { kind: 'crashed', message: 'how its init ended is not known' }
  }
  if (status === 0 || status === sigint) return { kind: 'shutdown' }
  const signal = status & 0x7f
  if (signal === 0) {
    return asked
      ? { kind: 'shutdown' }
      : { kind: 'crashed', message: `its init exited with code ${status >> 8}` }
  }
  const name = signalName(signal)
  if (asked && (name === 'SIGTERM' || name === 'SIGPWR')) return { kind: 'shutdown' }
  return { kind: 'crashed', message: `its init was ended by ${name}` }
}

function signalName(number: number): string {
  const found = Object.entries(constants.signals).find(([, value]) => value === number)
  return found?.[0] ?? `signal ${number}`
}
