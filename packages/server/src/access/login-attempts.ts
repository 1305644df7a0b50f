import { isIPv6 } from 'node:net'
import type { Clock } from '@covirt/core'
import type { Identity } from './identity.js'

/** How many failures are nobody's business; each one more doubles the pause, up to the longest. */
const allowance = { free: 5, firstPauseMs: 1000, longestPauseMs: 60_000 } as const
/** How many count at most: with so many the pause is the longest. */
const mostFailures = 11
/** How long it takes until one of them is forgotten: more than the longest pause, so that it pays nobody to wait. */
const forgottenAfterMs = 120_000
/** How many places are remembered: those that failed last. */
const maxPlaces = 4096

/**
 * What counts as one place: an address, of IPv6 the network of 64 bits that one host has to itself; on this host a user.
 */
export function placeOf({ address, uid }: Pick<Identity, 'address' | 'uid'>): string {
  if (address === undefined) return `uid ${uid}`
  const mapped = /^::ffff:(\d+(?:\.\d+){3})$/i.exec(address)?.[1]
  if (mapped !== undefined || !isIPv6(address)) return mapped ?? address
  const [head = [], tail = []] = address.split('::').map((half) => half.split(':').filter(Boolean))
  const zeros = Array<string>(Math.max(0, 8 - head.length - tail.length)).fill('0')
  return [...head, ...zeros, ...tail].slice(0, 4).join(':')
}

interface Failures {
  readonly count: number
  /** When the last of them was. */
  readonly at: number
  /** Until then nobody from there is listened to. */
  readonly until: number
}

/**
 * Slows down who guesses passwords: places that logins come from, each with its failures. Time alone makes them
 * forgotten: if a success did, too, whoever has an account could guess the others' passwords.
 */
export class LoginAttempts {
  readonly #clock: Clock
  readonly #places = new Map<string, Failures>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** How long nobody from `place` is listened to, in milliseconds; 0 where they are. */
  pauseMs(place: string): number {
    return Math.max(0, (this.#places.get(place)?.until ?? 0) - this.#clock.now())
  }

  failed(place: string): void {
    const at = this.#clock.now()
    const count = Math.min(this.#countAt(place, at) + 1, mostFailures)
    const over = count - allowance.free
    const pauseMs = over < 0 ? 0 : Math.min(allowance.firstPauseMs * 2 ** over, allowance.longestPauseMs)
    this.#places.delete(place)
    this.#places.set(place, { count, at, until: at + pauseMs })
    const [oldest] = this.#places.keys()
    if (this.#places.size > maxPlaces && oldest !== undefined) this.#places.delete(oldest)
  }

  #countAt(place: string, now: number): number {
    const failures = this.#places.get(place)
    if (!failures) return 0
    const forgotten = Math.max(0, Math.floor((now - failures.at) / forgottenAfterMs))
    return Math.max(0, failures.count - forgotten)
  }
}
