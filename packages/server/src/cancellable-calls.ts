/** How many controllers wait for another call. */
const maxSpare = 64

/** Calls of one client that can be cancelled, by their serials. */
export class CancellableCalls {
  readonly #running = new Map<number, AbortController>()
  readonly #spare: AbortController[] = []

  /** What the call with this serial is cancelled by. */
  begin(serial: number): AbortController {
    const controller = this.#spare.pop() ?? new AbortController()
    this.#running.set(serial, controller)
    return controller
  }

  /**
   * The call is over. `asked`: it was a mere question, so that nobody still goes by its signal; another one may have it
   * then. To make one costs a quarter of what a small call does.
   */
  end(serial: number, controller: AbortController, asked: boolean): void {
    if (this.#running.get(serial) === controller) this.#running.delete(serial)
    if (asked && !controller.signal.aborted && this.#spare.length < maxSpare) this.#spare.push(controller)
  }

  /** Nothing happens where there is no such call. */
  cancel(serial: number): void {
    this.#running.get(serial)?.abort()
  }

  cancelAll(): void {
    for (const controller of this.#running.values()) controller.abort()
  }
}
