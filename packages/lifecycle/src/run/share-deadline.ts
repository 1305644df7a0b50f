/**
 * How long something with a budget may take, so that it and all that is to come after it are through before the
 * deadline: its whole budget where there is time enough, else its part of what there is.
 */
export function shareOf(
  budgetMs: number,
  time: {
    /** Until the deadline. */
    readonly leftMs: number
    /** What it and all that comes after it would take at the most. */
    readonly neededMs: number
  },
): number {
  if (time.neededMs <= time.leftMs) return budgetMs
  if (time.leftMs <= 0 || time.neededMs <= 0) return 0
  return Math.floor((budgetMs * time.leftMs) / time.neededMs)
}
