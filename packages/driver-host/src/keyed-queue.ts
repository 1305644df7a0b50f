import { abortable, type CallOptions, type Clock, VirError } from '@covirt/core'

/** How a task is queued. */
interface TaskTerms extends CallOptions {
  /** What those that wait for it are told that they waited for. */
  readonly name: string
  /** No two tasks with one of these run at the same time. */
  readonly keys: readonly string[]
}

interface QueuedTask {
  readonly name: string
  readonly settled: Promise<void>
}

/** How long a task waits for its turn at the most. */
const waitTimeoutMs = 30_000

/** Lets one task at a time have each key, in the order of the calls. A task may need several keys at once. */
export class KeyedQueue {
  readonly #clock: Clock
  readonly #last = new Map<string, QueuedTask>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Runs `task` once every earlier one with any of its keys has settled. `OPERATION_ABORTED` where `signal` fires
   * before that, `OPERATION_TIMEOUT` where it takes longer than 30 s; the others keep their turns.
   */
  run<T>({ name, keys, signal }: TaskTerms, task: () => Promise<T>): Promise<T> {
    const earlier = new Set(keys.flatMap((key) => this.#last.get(key) ?? []))
    const result = this.#turn(name, [...earlier], signal).then(task)
    // One that gives up must not let its successors overtake what it waited for.
    const settled = Promise.allSettled([result, ...[...earlier].map((other) => other.settled)])
    const queued: QueuedTask = { name, settled: settled.then(() => this.#release(keys, queued)) }
    for (const key of keys) this.#last.set(key, queued)
    return result
  }

  async #turn(name: string, earlier: readonly QueuedTask[], signal: AbortSignal | undefined): Promise<void> {
    if (earlier.length === 0) return
    const over = new AbortController()
    const tooLate = this.#clock.sleep(waitTimeoutMs, { signal: over.signal }).then(() => {
      throw timedOut(name, earlier)
    })
    try {
      await abortable(Promise.race([Promise.all(earlier.map(({ settled }) => settled)), tooLate]), signal)
    } finally {
      over.abort()
    }
  }

  #release(keys: readonly string[], queued: QueuedTask): void {
    for (const key of keys) if (this.#last.get(key) === queued) this.#last.delete(key)
  }
}

function timedOut(name: string, earlier: readonly QueuedTask[]): VirError {
  const others = earlier.map((other) => other.name).join(' and ')
  return new VirError(
    'OPERATION_TIMEOUT',
    `${name} waited ${waitTimeoutMs / 1000} s for ${others}, which is still under way`,
    { domain: 'DOM', hint: 'Try again later' },
  )
}
