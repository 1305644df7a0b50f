import { type ErrorCode, type ErrorDomain, errorDomainNumbers, errorNumbers } from './error-codes.js'

/** What a {@link VirError} carries besides its code and message. */
export interface VirErrorDetails {
  /** Which part of the system reported it. Default `NONE`. */
  readonly domain?: ErrorDomain
  /** What led to it: the error, log lines or exit record of the layer below. */
  readonly cause?: unknown
  /** One sentence that tells a person how to mend it. */
  readonly hint?: string
}

/**
 * The one error class of covirt. `code` is stable and is what programs test; `message` and `hint` are for
 * people and may change. Misuse of the API by the program itself (a wrong type) is a `TypeError` instead.
 */
export class VirError extends Error {
  readonly code: ErrorCode
  readonly domain: ErrorDomain
  readonly hint: string | undefined

  constructor(code: ErrorCode, message: string, details: VirErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.code = code
    this.domain = details.domain ?? 'NONE'
    this.hint = details.hint
  }

  /** A cancelled call is named `AbortError`, as everywhere in JavaScript; all others `VirError`. */
  override get name(): string {
    return this.code === 'OPERATION_ABORTED' ? 'AbortError' : 'VirError'
  }

  /** libvirt's number of `code` (virErrorNumber). */
  get number(): number {
    return errorNumbers[this.code]
  }

  /** libvirt's number of `domain` (virErrorDomain). */
  get domainNumber(): number {
    return errorDomainNumbers[this.domain]
  }

  /** The enumerable form: what `--json` prints. */
  toJSON(): { code: ErrorCode; number: number; domain: ErrorDomain; message: string; hint?: string } {
    const { code, number, domain, message, hint } = this
    return { code, number, domain, message, ...(hint === undefined ? {} : { hint }) }
  }
}

/** An error that is no surprise and comes often, made without a stack: taking that costs far more than all the rest. */
export function withoutStack<E extends Error>(make: () => E): E {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return make()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

/** Whether `error` is a {@link VirError}, of code `code` where one is given. */
export function isVirError(error: unknown, code?: ErrorCode): error is VirError {
  return error instanceof VirError && (code === undefined || error.code === code)
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
