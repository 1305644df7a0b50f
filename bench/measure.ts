/** The middle value. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2
}

/** How long `act` takes, in milliseconds. */
export async function timed(act: () => unknown): Promise<number> {
  const start = performance.now()
  await act()
  return performance.now() - start
}

/** Medians of two things measured in turn, so that a machine that changes its speed does so for both. */
export interface Pair {
  readonly oursMs: number
  readonly peerMs: number
  /** The median of the ratios of each turn: below 1, ours is faster. */
  readonly ratio: number
}

/** Runs both `rounds` times in turn, after one round that does not count. */
export async function pair(
  rounds: number,
  ours: () => Promise<number>,
  peer: () => Promise<number>,
): Promise<Pair> {
  const oursMs: number[] = []
  const peerMs: number[] = []
  for (let round = -1; round < rounds; round++) {
    const first = round % 2 === 0
    const a = first ? await ours() : undefined
    const b = await peer()
    const mine = a ?? (await ours())
    if (round < 0) continue
    oursMs.push(mine)
    peerMs.push(b)
  }
  return {
    oursMs: median(oursMs),
    peerMs: median(peerMs),
    ratio: median(oursMs.map((ms, index) => ms / (peerMs[index] ?? Number.NaN))),
  }
}
