/** What steps wait for: whether something came to pass, told once. */
export class Gate {
  readonly passed: Promise<boolean>
  #open: (passed: boolean) => void = () => {}

  constructor() {
    this.passed = new Promise((resolve) => {
      this.#open = resolve
    })
  }

  open(passed: boolean): void {
    this.#open(passed)
  }
}

/** Groups of steps of which each begins once all steps of the groups before it are through. */
export class Turns {
  readonly #left = new Map<number, number>()
  readonly #order: readonly number[]
  readonly #begun: ReadonlyMap<number, Gate>
  #at = 0

  /** The group of each step, groups in the order of their turns. */
  constructor(groups: readonly number[]) {
    for (const group of groups) this.#left.set(group, (this.#left.get(group) ?? 0) + 1)
    this.#order = [...this.#left.keys()]
    this.#begun = new Map(this.#order.map((group) => [group, new Gate()]))
    this.#openNext()
  }

  /** Resolves once it is the group's turn. */
  async turn(group: number): Promise<void> {
    await this.#begun.get(group)?.passed
  }

  /** A step of the group is through. */
  through(group: number): void {
    this.#left.set(group, (this.#left.get(group) ?? 0) - 1)
    while (this.#at < this.#order.length && (this.#left.get(this.#order[this.#at] as number) ?? 0) <= 0) {
      this.#at += 1
      this.#openNext()
    }
  }

  #openNext(): void {
    this.#begun.get(this.#order[this.#at] as number)?.open(true)
  }
}
