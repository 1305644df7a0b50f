import type { CallOptions } from './abort.js'
import type { DomainRef } from './domain.js'

/**
 * How keys are numbered. `linux`: the kernel's input-event-codes.h; `xt`: set 1 of scan codes, those with a prefix by
 * 128 more; `qnum`: the same, as QEMU and VNC have it.
 */
export const keyCodeSets = ['linux', 'xt', 'qnum'] as const

/** One of {@link keyCodeSets}. */
export type KeyCodeSet = (typeof keyCodeSets)[number]

/** How keys are pressed. */
export interface SendKeyOptions extends CallOptions {
  /** `ARGUMENT_UNSUPPORTED` for others. Default `linux`. */
  readonly codeSet?: KeyCodeSet | undefined
  /** How long they are held down. Default 100. */
  readonly holdTimeMs?: number | undefined
}

/** Role: the guest's keyboard. */
export interface KeyboardRole {
  /**
   * Presses keys together, at most 16, and lets go of them; resolves once it has been arranged. `OPERATION_INVALID`
   * where the domain is not active, `INVALID_ARG` for keys that there are not.
   */
  sendKey(domain: DomainRef, keyCodes: readonly number[], options?: SendKeyOptions): Promise<void>
}

/** Role: the button that interrupts a guest which listens to nothing else. */
export interface NmiRole {
  /** Sends a non-maskable interrupt. `OPERATION_INVALID` where the domain is not active. */
  injectNmi(domain: DomainRef, options?: CallOptions): Promise<void>
}
