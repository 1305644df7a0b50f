import type { CallOptions } from './abort.js'

/**
 * Which of a domain's two documents a change is made in. With both it is made in both or in neither: a call that
 * rejects leaves both as they were. As libvirt's `virDomainModificationImpact`.
 */
export interface ChangeOptions extends CallOptions {
  /** That of its guest; `OPERATION_INVALID` where it has none. Default: where neither is chosen and it is active. */
  readonly live?: boolean | undefined
  /** Its definition; `OPERATION_INVALID` where it is transient. Default: where neither is chosen and it is off. */
  readonly config?: boolean | undefined
}
