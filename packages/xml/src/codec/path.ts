import { VirError } from '@covirt/core'

/** Where in a document the codec is: one step per element, joined by "/", attributes with "@". */
export class Path {
  readonly #steps: string[] = []

  enter(step: string): void {
    this.#steps.push(step)
  }

  leave(): void {
    this.#steps.pop()
  }

  error(attribute: string | undefined, problem: string, hint?: string): VirError {
    const where = this.#steps.join('/') + (attribute === undefined ? '' : `@${attribute}`)
    return new VirError('XML_ERROR', `${where}: ${problem}`, {
      domain: this.#steps[0] === 'domain' ? 'DOMAIN' : 'XML',
      ...(hint === undefined ? {} : { hint }),
    })
  }
}

/** What is wrong with one value; the codec adds where. */
export class ValueProblem extends Error {
  readonly hint: string | undefined

  constructor(message: string, hint?: string) {
    super(message)
    this.hint = hint
  }
}
