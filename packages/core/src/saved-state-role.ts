import type { CallOptions } from './abort.js'
import type { DomainRef } from './domain.js'

/** How a guest is saved. */
export interface SaveOptions extends CallOptions {
  /** As what it is to go on when it is restored. Default: as it was when it was saved. */
  readonly restoreAs?: 'running' | 'paused' | undefined
}

/** How a guest is restored from a file. */
export interface RestoreOptions extends CallOptions {
  /** As what it is to go on. Default: what was said when it was saved. */
  readonly restoreAs?: 'running' | 'paused' | undefined
  /**
   * The definition that it goes on with, instead of the one in the file: of the same name, uuid and machine, with
   * other places of disks or another listening address, for example.
   */
  readonly xml?: string | undefined
}

/** How the definition in a file is shown. */
export interface SavedXmlOptions extends CallOptions {
  /** Include passwords, which are left out otherwise. */
  readonly secure?: boolean | undefined
}

/**
 * Role: guests that go to sleep on disk and wake up where they were, over reboots of the host.
 *
 * **Saving.** While its state is written the guest stands still, in state `paused`, reason `save`. The state is on
 * disk, as a whole, before the guest is ended; then `stopped`/`saved` is emitted, and the domain is `shutoff`, reason
 * `saved`. Where that fails (a full disk, a cancelled call) the guest goes on as if nothing had been asked; where the
 * process dies meanwhile, either it goes on or it has been saved, never both. `OPERATION_INVALID` where the domain is
 * not active or has crashed.
 *
 * **Restoring.** Emits `started`/`restored`, and the domain is `running`, reason `restored`; one that goes on paused
 * is `paused`, reason `user`, and emits `suspended`/`restored` too, or `suspended`/`paused` where that was asked for
 * with the call. A file that is damaged, or is none of this driver, is refused with `OPERATION_FAILED` and starts
 * nothing.
 *
 * **A managed state** belongs to its domain. The next start restores it, with the definition it was saved with, and
 * has removed it by the time the guest runs; a start that fails keeps it. With `forceBoot` the start throws it away
 * and boots. Until then `createDomain` and {@link restoreDomain} refuse the domain with `OPERATION_INVALID`, and so does
 * `undefineDomain`, unless it is told to remove it.
 */
export interface SavedStateRole {
  /** Saves the guest of a persistent domain as its managed state. `OPERATION_INVALID` where it is transient. */
  managedSave(domain: DomainRef, options?: SaveOptions): Promise<void>
  hasManagedSave(domain: DomainRef, options?: CallOptions): Promise<boolean>
  /** Throws the managed state away; does nothing where there is none. */
  removeManagedSave(domain: DomainRef, options?: CallOptions): Promise<void>
  /**
   * Saves a guest to a file on the driver's host, replacing it as a whole; only its owner may read it. A transient
   * domain is gone then. `INVALID_ARG` where `path` is not absolute.
   */
  saveDomain(domain: DomainRef, path: string, options?: SaveOptions): Promise<void>
  /**
   * Starts the guest that was saved to a file, which stays. A domain that does not exist (any more) is transient; one
   * that is off keeps its definition. `DOM_EXIST` where another domain has its name or uuid, `OPERATION_INVALID` where
   * the domain is active, `INVALID_ARG` where `xml` is of another domain.
   */
  restoreDomain(path: string, options?: RestoreOptions): Promise<DomainRef>
  /** The definition in a file that a guest was saved to. `OPERATION_FAILED` as {@link restoreDomain}. */
  getSavedXml(path: string, options?: SavedXmlOptions): Promise<string>
}
