/** What the process returns, besides 128 + n where signal n ended it (130: ^C). */
export const exitCodes = {
  /** Done. */
  ok: 0,
  /** It could not be done; the error says why. */
  failure: 1,
  /** The command line makes no sense. */
  usage: 2,
} as const
