import type { Duplex, Readable } from 'node:stream'
import type { CallOptions } from './abort.js'
import type { DomainRef } from './domain.js'

/** Of what a picture is taken. */
export interface ScreenshotOptions extends CallOptions {
  /** Counts the screens of the guest from 0. Default 0. */
  readonly screen?: number | undefined
}

/** A picture of a guest's screen. */
export interface Screenshot {
  /** `image/png` or `image/x-portable-pixmap`. */
  readonly mimeType: string
  readonly stream: Readable
}

/** Which of a guest's displays is opened. */
export interface GraphicsOptions extends CallOptions {
  /** Counts the `<graphics>` of the definition from 0. Default 0. */
  readonly index?: number | undefined
}

/** Role: the guest's screens. */
export interface GraphicsRole {
  /**
   * Takes a picture of what an active domain shows. `OPERATION_INVALID` where it is not active, `INVALID_ARG` where it
   * has no such screen.
   */
  screenshot(domain: DomainRef, options?: ScreenshotOptions): Promise<Screenshot>
  /**
   * Connects to a display of an active domain, which then speaks its own protocol (RFB for VNC), beginning with what it
   * demands of users. Any number of connections at a time; they end with the guest. `OPERATION_INVALID` where it is
   * not active, `INVALID_ARG` where it has no such display.
   */
  openGraphics(domain: DomainRef, options?: GraphicsOptions): Promise<Duplex>
}
