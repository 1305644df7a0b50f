import { type CallOptions, isVirError, messageOf } from '@covirt/core'
import { type HookContext, type LifecycleHooks, runHook } from '../hooks/lifecycle-hooks.js'
import type { JournalEntry } from '../journal/journal.js'
import type { ProgressPhase } from './progress.js'
import type { RunnerParts } from './runner-parts.js'

/** A domain as steps of plans name it. */
export interface Named {
  readonly uuid: string
  readonly name: string
}

/** Tells what a runner does: to the journal, to whoever watches, to hooks. None of them can hold the runner up for good. */
export class Recorder {
  readonly #parts: RunnerParts
  readonly #writing = new Set<Promise<void>>()
  #complained = false

  constructor(parts: RunnerParts) {
    this.#parts = parts
  }

  progress({ uuid, name }: Named, phase: ProgressPhase, detail?: string): void {
    this.#parts.onProgress?.({ at: this.#parts.clock.now(), uuid, name, phase, detail })
  }

  /** Notes it in the journal; {@link flush} waits until it is there. */
  note(entry: Omit<JournalEntry, 'at' | 'boot' | 'actor'>): void {
    const { journal, clock, boot, actor, logger } = this.#parts
    const written = journal
      .append({ at: clock.now(), boot, actor, ...entry })
      .catch((error: unknown) => {
        // A full disk must not keep guests from going down.
        if (!this.#complained) logger.error('The journal cannot be written', { error: messageOf(error) })
        this.#complained = true
      })
      .finally(() => this.#writing.delete(written))
    this.#writing.add(written)
  }

  async flush(): Promise<void> {
    await Promise.all(this.#writing)
  }

  /** Runs a hook of the user's about a domain. */
  async hook<R>(
    domain: Named,
    call: (hooks: LifecycleHooks, context: HookContext) => Promise<R> | R,
    { signal }: CallOptions,
  ): Promise<R | undefined> {
    const { hooks, driver, clock, logger } = this.#parts
    if (!hooks) return undefined
    const xml = await driver.getDomainXml(domain, { signal }).catch((error: unknown) => {
      if (isVirError(error, 'OPERATION_ABORTED')) throw error
      return ''
    })
    const { uuid, name } = domain
    return runHook(
      hooks,
      clock,
      signal,
      (options) => call(hooks, { domain: { uuid, name }, xml, ...options }),
      (error) => logger.warn('A life-cycle hook failed', { domain: name, error }),
    )
  }
}
