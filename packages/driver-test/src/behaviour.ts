/** How the guests of a domain behave. Times pass on the clock that the driver was opened with. */
export interface GuestBehaviour {
  /** How long a start takes. `Infinity`: it never ends, and has to be cancelled. */
  readonly startDelayMs: number
  /** How many of the next starts fail, once `startDelayMs` has passed. */
  readonly failStarts: number
  /** How long the guest takes from being asked to go down until it is off. */
  readonly shutdownDelayMs: number
  /** How many of the next requests to go down it ignores. `Infinity`: all. */
  readonly ignoreShutdowns: number
  /** How long the guest takes from being asked to restart until it does. */
  readonly rebootDelayMs: number
  /** How many of the next requests to restart it ignores. */
  readonly ignoreReboots: number
  /** How many of the next attempts to find the guest again, when the driver is opened, fail. */
  readonly failAdoptions: number
  /** How long it takes to save the guest. */
  readonly saveDelayMs: number
  /** How long after the start, or a restart, the agent of a domain that has its channel comes. */
  readonly agentDelayMs: number
}

/** A guest that gives no trouble: all at once, and always. */
export const goodBehaviour: GuestBehaviour = {
  startDelayMs: 0,
  failStarts: 0,
  shutdownDelayMs: 0,
  ignoreShutdowns: 0,
  rebootDelayMs: 0,
  ignoreReboots: 0,
  failAdoptions: 0,
  saveDelayMs: 0,
  agentDelayMs: 0,
}
