import type { CallOptions } from './abort.js'
import type { Clock } from './clock.js'
import type { AskCredentials } from './credentials.js'
import type { Driver } from './driver.js'
import type { Logger } from './logger.js'
import type { ConnectUri } from './uri.js'

/** How a connection is opened. */
export interface OpenOptions extends CallOptions {
  /** Where the driver tells what it does. Default: nowhere. */
  readonly logger?: Logger | undefined
  /** Where time comes from. Default: the system. */
  readonly clock?: Clock | undefined
  /** Who we are, for a peer that asks. Default: what `auth.conf` of libvirt's clients says. */
  readonly credentials?: AskCredentials | undefined
}

/** A way to make drivers: what a driver package exports, and what a composition root collects. */
export interface DriverProvider<D extends Driver = Driver> {
  /** The URI schemes it answers to. */
  readonly schemes: readonly string[]
  /** Why it cannot be used on this host, with what to do about it; `undefined` where it can. Never rejects. */
  probe(): Promise<string | undefined>
  /**
   * Opens a connection. `NO_CONNECT` where the driver cannot be used here, `INVALID_ARG` where the URI makes
   * no sense to it, `RESOURCE_BUSY` where another process owns the state it names.
   */
  open(uri: ConnectUri, options?: OpenOptions): Promise<D>
}

/** A driver as a composition root collects it. */
export interface DriverEntry {
  readonly provider: DriverProvider
  /** The values of `<domain type=…>` that go to it in `covirt:///`; none: it is no part of that. */
  readonly domainTypes: readonly string[]
  /**
   * Loads what the driver needs once it has guests. Whoever keeps it open for long calls it early: later its files may
   * be those of another version.
   */
  readonly warmUp?: (() => Promise<void>) | undefined
}

/** What a driver package's `module` binds its {@link DriverEntry} to in an inversify container. */
export const driverEntryId: symbol = Symbol.for('covirt:DriverEntry')
