import { type Logger, messageOf } from '@covirt/core'

/**
 * What has to be undone if a task of several steps fails. Each step that succeeds pushes its undoing; they
 * run in reverse order.
 */
export class UndoStack {
  readonly #steps: (() => unknown)[] = []
  readonly #logger: Logger

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** `undo` may return a promise. */
  push(undo: () => unknown): void {
    this.#steps.push(undo)
  }

  /** Undoes all, newest first. A step that fails is logged and hinders no other. */
  async run(): Promise<void> {
    for (let undo = this.#steps.pop(); undo; undo = this.#steps.pop()) {
      try {
        await undo()
      } catch (error) {
        this.#logger.warn('Undoing a step failed', { error: messageOf(error) })
      }
    }
  }

  /** The task has succeeded: nothing is to be undone any more. */
  clear(): void {
    this.#steps.length = 0
  }
}
