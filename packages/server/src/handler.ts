import type { Duplex } from 'node:stream'
import type { Driver } from '@covirt/core'
import type { ArgsOf, ProcedureName, procedures, ResultOf } from '@covirt/protocol'
import type { AccessRole } from './access/access-policy.js'
import type { RequireOptions } from './access/session-access.js'
import type { OwnedDescriptor } from './connected-descriptor.js'
import type { Session } from './session.js'

/** One call under way, as its handler sees it. */
export interface Call {
  readonly session: Session
  /** What the connection was opened on, as far as the client may see it. `INVALID_CONN` before that. */
  readonly driver: Driver
  /** For the driver: fires where the client cancels the call, or the server closes. */
  readonly options: { readonly signal: AbortSignal }
  /** Throws where the client may not do what needs `role`, for what depends on arguments. */
  require(role: AccessRole, options?: RequireOptions): void
  /** Makes `stream` the call's stream; it begins to flow once the call has been answered. */
  openStream(stream: Duplex): void
  /** Tells the client how far the call is. */
  progress(value: string): void
  /** Sends `owned` with the answer, and releases it then. */
  passDescriptor(owned: OwnedDescriptor): void
}

type Procedures = typeof procedures

/**
 * What is done when a procedure is called. It may be asynchronous, also where it has no result; what it throws is
 * answered as an error.
 */
type Handler<N extends ProcedureName> = keyof ResultOf<Procedures[N]> extends never
  ? (call: Call, args: ArgsOf<Procedures[N]>) => void
  : (call: Call, args: ArgsOf<Procedures[N]>) => ResultOf<Procedures[N]> | Promise<ResultOf<Procedures[N]>>

/** Handlers by the names of their procedures. */
export type Handlers = { readonly [N in ProcedureName]?: Handler<N> }
