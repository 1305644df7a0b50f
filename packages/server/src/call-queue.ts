import type { Frame } from '@covirt/protocol'

/** What bounds a {@link CallQueue}. */
export interface CallQueueLimits {
  readonly runningCalls: number
  readonly waitingCalls: number
  readonly waitingBytes: number
}

/** Calls of one client: so many run at a time, so many wait, and beyond that nothing more is to be read. */
export class CallQueue {
  readonly #limits: CallQueueLimits
  readonly #run: (frame: Frame) => Promise<void>
  #waiting: Frame[] = []
  #waitingBytes = 0
  #running = 0
  #held = false
  #idle: (() => void)[] = []

  /** `run` never rejects. */
  constructor(limits: CallQueueLimits, run: (frame: Frame) => Promise<void>) {
    this.#limits = limits
    this.#run = run
  }

  /** Nothing more should be added. */
  get full(): boolean {
    return (
      this.#waiting.length >= this.#limits.waitingCalls || this.#waitingBytes >= this.#limits.waitingBytes
    )
  }

  add(frame: Frame): void {
    if (!this.#held && this.#running < this.#limits.runningCalls) {
      this.#start(frame)
      return
    }
    this.#waiting.push(frame)
    this.#waitingBytes += frame.payload.length
  }

  /** Begins no call until released. */
  hold(): void {
    this.#held = true
  }

  release(): void {
    this.#held = false
    this.#next()
  }

  /** Resolves once no call runs. */
  async whenIdle(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  /** Forgets the calls that wait. */
  clear(): void {
    this.#waiting = []
    this.#waitingBytes = 0
  }

  #start(frame: Frame): void {
    this.#running++
    void this.#run(frame).then(() => {
      this.#running--
      this.#next()
      if (this.#running > 0) return
      for (const wake of this.#idle.splice(0)) wake()
    })
  }

  #next(): void {
    while (!this.#held && this.#running < this.#limits.runningCalls) {
      const frame = this.#waiting.shift()
      if (!frame) return
      this.#waitingBytes -= frame.payload.length
      this.#start(frame)
    }
  }
}
