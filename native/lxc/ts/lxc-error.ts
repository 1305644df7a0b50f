/** What a {@link LxcError} carries besides its message. */
export interface LxcErrorDetails {
  readonly operation: string
  readonly container?: string | undefined
  readonly code?: string | undefined
  readonly log?: readonly string[]
  readonly cause?: unknown
}

/** A failed operation of liblxc, or of this package on its behalf. */
export class LxcError extends Error {
  /** The function that failed: `start`, `state`, … */
  readonly operation: string
  /** The container's name; empty where none is concerned. */
  readonly container: string
  /** The system's name of the error (`ESRCH`, `EBUSY`, `ETIMEDOUT`, …), where one is known. */
  readonly code: string | undefined
  /** What liblxc itself logged as errors meanwhile, oldest first; the first line is mostly the reason. */
  readonly log: readonly string[]

  constructor(message: string, details: LxcErrorDetails) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.operation = details.operation
    this.container = details.container ?? ''
    this.code = details.code
    this.log = details.log ?? []
  }

  override get name(): string {
    return 'LxcError'
  }
}

/** `error` of the addon or of Node as an {@link LxcError} of `operation`. */
export function toLxcError(error: unknown, operation: string, container?: string): LxcError {
  if (error instanceof LxcError) return error
  const { message, code } = error as { message?: unknown; code?: unknown }
  const subject = container ? `${operation} of container ${container}` : operation
  return new LxcError(`${subject} failed: ${typeof message === 'string' ? message : String(error)}`, {
    operation,
    container,
    code: typeof code === 'string' ? code : undefined,
    cause: error,
  })
}
