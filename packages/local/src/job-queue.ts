import { setMaxListeners } from 'node:events'
import { abortError, type CallOptions, type Clock, throwIfAborted, VirError } from '@covirt/core'

/** What a job does. The signal tells it to give up. */
type Work<T> = (options: CallOptions) => Promise<T>

interface Job {
  readonly name: string
  readonly first: boolean
  readonly abortable: boolean
  /** Runs it; never rejects. `abort`, where it can be aborted, is what it is aborted with. */
  readonly begin: (abort: AbortController | undefined) => Promise<void>
  /** Ends it before it has begun. */
  readonly refuse: (error: VirError) => void
}

interface Terms {
  readonly signal?: AbortSignal | undefined
  /** Before all that wait, and never refused for waiting too long. */
  readonly first: boolean
  /** `preempt` and `drain` abort it while it runs. */
  readonly abortable: boolean
}

/** How long a job waits for its turn before it is refused; libvirt waits as long. */
const jobTimeoutMs = 30_000

/**
 * The jobs of one domain: one at a time, first come, first served. A job that waits can be cancelled and
 * times out; a job that runs is told through its signal.
 */
export class JobQueue {
  readonly #clock: Clock
  readonly #onIdle: () => void
  readonly #waiting: Job[] = []
  #idleListeners: (() => void)[] = []
  #closed: VirError | undefined
  #running: { readonly job: Job; readonly abort: AbortController | undefined } | undefined

  /** `onIdle` is called whenever the last job has ended. */
  constructor(clock: Clock, onIdle: () => void) {
    this.#clock = clock
    this.#onIdle = onIdle
  }

  get idle(): boolean {
    return !this.#running && this.#waiting.length === 0
  }

  /** Resolves as soon as no job runs or waits. */
  async whenIdle(): Promise<void> {
    if (!this.idle) await new Promise<void>((resolve) => this.#idleListeners.push(resolve))
  }

  /** Runs `work` when its turn has come. `OPERATION_TIMEOUT` where that takes too long. */
  run<T>(name: string, options: CallOptions | undefined, work: Work<T>): Promise<T> {
    return this.#enqueue(name, { signal: options?.signal, first: false, abortable: true }, work)
  }

  /** Runs `work` next, and lets nothing abort it: for what has happened already. */
  runNext<T>(name: string, work: Work<T>): Promise<T> {
    return this.#enqueue(name, { first: true, abortable: false }, work)
  }

  /** Aborts the job under way, if it can be, and runs `work` next. */
  preempt<T>(name: string, options: CallOptions | undefined, work: Work<T>): Promise<T> {
    const turn = this.#enqueue(name, { signal: options?.signal, first: true, abortable: false }, work)
    if (this.#running?.job.name !== name) {
      this.#running?.abort?.abort(
        new VirError('OPERATION_ABORTED', `Aborted by '${name}', which was asked for meanwhile`),
      )
    }
    return turn
  }

  /** Aborts what runs, refuses what waits and all that comes, with `reason`; resolves when nothing runs any more. */
  async drain(reason: VirError): Promise<void> {
    this.#closed = reason
    for (const job of this.#waiting.splice(0)) job.refuse(reason)
    if (!this.#running) return
    this.#running.abort?.abort(reason)
    await this.runNext('close', async () => {})
  }

  #enqueue<T>(name: string, terms: Terms, work: Work<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      throwIfAborted(terms.signal)
      if (this.#closed && !terms.first) throw this.#closed
      /** Lets go of what could end its waiting. */
      let waited = () => {}
      const job: Job = {
        name,
        first: terms.first,
        abortable: terms.abortable,
        begin: async (abort) => {
          waited()
          const { signal } = terms
          const onAbort = () => abort?.abort(signal?.reason)
          // Node suspects a leak from eleven listeners on; one signal may well be for many domains.
          if (signal) setMaxListeners(0, signal)
          signal?.addEventListener('abort', onAbort, { once: true })
          try {
            resolve(await work({ signal: abort?.signal ?? signal }))
          } catch (error) {
            reject(error)
          } finally {
            signal?.removeEventListener('abort', onAbort)
          }
        },
        refuse: (error) => {
          waited()
          reject(error)
        },
      }
      const refuse = (error: VirError) => {
        this.#waiting.splice(this.#waiting.indexOf(job), 1)
        job.refuse(error)
      }
      this.#waiting.splice(terms.first ? this.#firstOrdinary() : this.#waiting.length, 0, job)
      if (!this.#running) {
        this.#next()
        return
      }
      const { signal } = terms
      const onAbort = () => refuse(abortError(signal as AbortSignal))
      signal?.addEventListener('abort', onAbort, { once: true })
      const callOff = terms.first
        ? undefined
        : this.#clock.after(jobTimeoutMs, () => refuse(this.#timedOut(name)))
      waited = () => {
        signal?.removeEventListener('abort', onAbort)
        callOff?.()
      }
    })
  }

  /** Jobs that go first keep their order among themselves. */
  #firstOrdinary(): number {
    const index = this.#waiting.findIndex((job) => !job.first)
    return index < 0 ? this.#waiting.length : index
  }

  #next(): void {
    const job = this.#waiting.shift()
    if (!job) {
      this.#running = undefined
      this.#onIdle()
      for (const tell of this.#idleListeners.splice(0)) tell()
      return
    }
    const abort = job.abortable ? new AbortController() : undefined
    this.#running = { job, abort }
    void job.begin(abort).finally(() => this.#next())
  }

  #timedOut(name: string): VirError {
    return new VirError(
      'OPERATION_TIMEOUT',
      `'${name}' waited ${jobTimeoutMs / 1000} s for '${this.#running?.job.name}', which is still under way`,
      { domain: 'DOM', hint: "Try again later, or end it with 'destroy'" },
    )
  }
}
