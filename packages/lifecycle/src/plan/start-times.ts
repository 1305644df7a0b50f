import { type StartPlan, type StartStep, worstOf } from './start-plan.js'

type Untimed<T> = Omit<T, 'earliestMs' | 'worstMs'>

/**
 * A plan with its times. `worstMs` is a true bound also where more is to be started than may be at the same time: at
 * any moment before a step is through, either something on the path to it is under way, or all places are taken
 * (Graham, Bounds on multiprocessing timing anomalies, 1969).
 */
export function withTimes(
  plan: Untimed<Omit<StartPlan, 'steps'>> & { readonly steps: readonly Untimed<StartStep>[] },
): StartPlan {
  const early = new Map<string, Times>()
  const late = new Map<string, Times>()
  const crowded = plan.steps.filter(({ active }) => !active).length > plan.limit
  const placesMs = plan.steps.map((step) => placeMs(step)).reduce((sum, ms) => sum + ms, 0)
  const queueMs = crowded ? placesMs / plan.limit : 0
  const earlyFloor = new Floor()
  const lateFloor = new Floor()
  const steps = plan.steps.map((step): StartStep => {
    const worst = worstOf(step)
    const delayMs = step.active ? 0 : step.policy.delayMs
    const earliest = timesAfter(step, early, earlyFloor, { startMs: delayMs, readyMs: 0 })
    const latest = timesAfter(step, late, lateFloor, worst)
    return { ...step, earliestMs: earliest.readyAt, worstMs: Math.ceil(latest.readyAt + queueMs) }
  })
  return {
    ...plan,
    steps,
    earliestMs: steps.reduce((latest, { earliestMs }) => Math.max(latest, earliestMs), 0),
    worstMs: steps.reduce((latest, { worstMs }) => Math.max(latest, worstMs), 0),
  }
}

interface Times {
  readonly startedAt: number
  readonly readyAt: number
}

/** When all steps of the orders below the one under way are through. */
class Floor {
  #order: number | undefined
  #floorMs = 0
  #nextMs = 0

  at(order: number): number {
    if (order !== this.#order) {
      this.#order = order
      this.#floorMs = this.#nextMs
    }
    return this.#floorMs
  }

  reached(ms: number): void {
    this.#nextMs = Math.max(this.#nextMs, ms)
  }
}

function timesAfter(
  step: Untimed<StartStep>,
  known: Map<string, Times>,
  floor: Floor,
  takes: { readonly startMs: number; readonly readyMs: number },
): Times {
  let beginsAt = step.active ? 0 : floor.at(step.order)
  for (const { uuid, until } of step.waits) {
    const times = known.get(uuid)
    if (times) beginsAt = Math.max(beginsAt, until === 'started' ? times.startedAt : times.readyAt)
  }
  const startedAt = beginsAt + takes.startMs
  const times = { startedAt, readyAt: startedAt + takes.readyMs }
  known.set(step.uuid, times)
  floor.reached(times.readyAt)
  return times
}

/** How long a step may hold one of the places. */
function placeMs(step: Untimed<StartStep>): number {
  if (step.active) return 0
  const { policy } = step
  return policy.attempts * policy.timeoutMs + worstOf(step).readyMs
}
