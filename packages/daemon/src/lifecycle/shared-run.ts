import { abortable, isVirError } from '@covirt/core'
import type { Progress, RunOptions } from '@covirt/lifecycle'

interface Running<T> {
  readonly over: Promise<T>
  readonly watchers: Set<(progress: Progress) => void>
}

/** Something that is done once at a time: whoever asks for it meanwhile has part in it. */
export class SharedRun<T> {
  #running: Running<T> | undefined

  /**
   * Settles as what is being done does. Calls `work` where nothing is, or where that was given up by whoever began it
   * (`OPERATION_ABORTED`); `signal` of anybody else ends no more than their waiting.
   */
  async join(options: RunOptions, work: (options: RunOptions) => Promise<T>): Promise<T> {
    const { signal, onProgress } = options
    while (this.#running) {
      const { over, watchers } = this.#running
      if (onProgress) watchers.add(onProgress)
      try {
        return await abortable(over, signal)
      } catch (error) {
        if (signal?.aborted || !isVirError(error, 'OPERATION_ABORTED')) throw error
      } finally {
        if (onProgress) watchers.delete(onProgress)
      }
    }
    const watchers: Running<T>['watchers'] = new Set(onProgress && [onProgress])
    const tell = (progress: Progress) => {
      for (const watch of watchers) watch(progress)
    }
    const running: Running<T> = { over: work({ signal, onProgress: tell }), watchers }
    this.#running = running
    try {
      return await running.over
    } finally {
      if (this.#running === running) this.#running = undefined
    }
  }
}
