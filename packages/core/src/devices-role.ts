import type { ChangeOptions } from './change-options.js'
import type { DomainRef } from './domain.js'

/**
 * Role: the devices of a domain are changed one by one. A device travels as its element in libvirt's form, `<disk>…` or
 * `<interface>…`.
 *
 * **Live** the guest has the device, or has it no more, when the call resolves; its live document says so, with what the
 * device was given on the way (alias, address, name on the host). It lasts as long as the guest does, over restarts of
 * the guest as well. **Config**: the definition has it, durably, and the next start; all that a definition may have can
 * be changed there, and nothing else of it changes.
 *
 * **Which** device is meant: that with the `<alias>` of the element, where there is one; else that with the same
 * identity: target of a disk or a file system, MAC address or target of an interface, source of a device of the host,
 * type and number of a controller; else the first whose document says all that the element says. `DEVICE_MISSING` where
 * there is none, `INVALID_ARG` where an interface is named so that it could be several.
 *
 * `XML_ERROR` where the element is none, or makes no sense; `CONFIG_UNSUPPORTED` where no domain of this driver can have
 * it; `OPERATION_UNSUPPORTED`, with what to do instead, where it cannot be changed while a guest runs;
 * `OPERATION_INVALID` where what tells the device apart belongs to another one already.
 */
export interface DevicesRole {
  /** Adds one. What the element leaves open is filled in; with both documents it is the same in both. */
  attachDevice(domain: DomainRef, xml: string, options?: ChangeOptions): Promise<void>
  /**
   * Removes one. A guest that has to let go of it is waited for; where it does not within some seconds:
   * `OPERATION_TIMEOUT`. It may do so later: then its live document tells.
   */
  detachDevice(domain: DomainRef, xml: string, options?: ChangeOptions): Promise<void>
  /** As {@link detachDevice}; in a definition the device is meant that the guest's one with this alias is. */
  detachDeviceAlias(domain: DomainRef, alias: string, options?: ChangeOptions): Promise<void>
  /** Makes one what the whole element says: another medium, another state of its link. Its identity stays. */
  updateDevice(domain: DomainRef, xml: string, options?: ChangeOptions): Promise<void>
}
