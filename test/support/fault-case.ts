import type { Ability } from '@covirt/contract'
import type { StartReport, StopReport } from '@covirt/lifecycle'
import type { FaultScene } from './fault-scene.js'

/** One thing that can go wrong, and what is to come of it. */
export interface FaultCase {
  readonly title: string
  /** What the world must be able to do. */
  readonly needs?: readonly Ability[]
  /** The role that the driver must have. */
  readonly role?: 'console' | 'savedState'
  /** By the labels of the domains; several words where more than one is right. */
  readonly expected: Readonly<Record<string, string>>
  /**
   * The domains whose guests would not go off by themselves, which alone may be forced, with how long each is asked all
   * the same before it is: 0 where there is nothing to wait for, as the guest is dead, is ended by somebody else, or is
   * to be ended at once.
   */
  readonly forcedAfterMs?: Readonly<Record<string, number>>
  readonly deadlineMs?: number
  /** Domains that are to be up afterwards. */
  readonly left?: readonly string[]
  run(scene: FaultScene): Promise<StartReport | StopReport>
}

/** The metadata of a domain that starts after those with these labels. */
export const after = (...labels: readonly string[]) =>
  `<start>${labels.map((label) => `<after domain='@${label}'/>`).join('')}</start>`

/** What never answers, until it is told to give up. */
export function hang(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
