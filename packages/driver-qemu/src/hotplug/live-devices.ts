import { type CallOptions, type Clock, type Logger, messageOf, throwIfAborted, VirError } from '@covirt/core'
import {
  type DeviceKind,
  type DiskXml,
  type DomainDevice,
  type DomainXml,
  devicesOf,
  type InterfaceXml,
  withDevices,
} from '@covirt/xml'
import { plugIntoBridge } from '../bridge-port.js'
import type { GuestPlan } from '../command-line/guest-plan.js'
import { planGuest } from '../command-line/guest-plan.js'
import { refuseGuessedDisk } from '../disk-image.js'
import type { QmpChannel } from '../qmp/qmp-channel.js'
import { QmpError } from '../qmp/qmp-error.js'
import { changeMedium } from './change-medium.js'
import { afterwards, cannot, type DevicePlan, planDevice } from './device-commands.js'
import { aliasOf, completeDevice, withLinkNames } from './new-device.js'
import { sameBut } from './same-but.js'

/** What {@link LiveDevices} works with. */
export interface LiveDevicesParts {
  readonly plan: GuestPlan
  /** The plan's document with what is known only while the guest runs. */
  readonly document: DomainXml
  /** The kinds of devices that have changed since the guest was launched. */
  readonly changed: readonly DeviceKind[]
  readonly monitor: QmpChannel
  readonly clock: Clock
  readonly logger: Logger
  /** Told where a guest has let go of a device that nobody waits for. */
  readonly onGone: (kind: DeviceKind) => void
}

/** How long a guest is waited for that is to let go of a device. */
const detachTimeoutMs = 5000

/** What a guest has at this moment: its document, which changes as it is given devices and loses them. */
export class LiveDevices {
  readonly #parts: LiveDevicesParts
  readonly #changed: Set<DeviceKind>
  /** Who waits for a guest to let go of a device, by alias. */
  readonly #waiting = new Map<string, () => void>()
  #plan: GuestPlan
  #document: DomainXml

  constructor(parts: LiveDevicesParts) {
    this.#parts = parts
    this.#plan = parts.plan
    this.#document = parts.document
    this.#changed = new Set(parts.changed)
  }

  get document(): DomainXml {
    return this.#document
  }

  get plan(): GuestPlan {
    return this.#plan
  }

  /** See {@link LiveDevicesParts.changed}. */
  get changed(): readonly DeviceKind[] {
    return [...this.#changed]
  }

  /** Shows the guest with other memory and processors. */
  showLimits(limits: Pick<DomainXml, 'currentMemoryKib' | 'vcpu'>): void {
    this.#show({ ...this.#document, ...limits })
  }

  /** As `Guest.attachDevice`. */
  async attach({ kind, device: given }: DomainDevice, { signal }: CallOptions): Promise<void> {
    const { monitor } = this.#parts
    const device = completeDevice({ kind, device: given }, this.#plan)
    const planned = planDevice({ kind, device }, this.#plan)
    if (kind === 'disks') await refuseGuessedDisk(device as DiskXml)
    throwIfAborted(signal)
    const undo: (() => Promise<unknown>)[] = []
    try {
      // QEMU obeys a command that was given up all the same: none of these few milliseconds is.
      for (const command of planned.commands) {
        if (command.name === 'device_add' && planned.tap) await plugIntoBridge(planned.tap, {})
        await monitor.execute(command.name, command.args)
        const { undo: back } = command
        if (back) undo.push(() => monitor.execute(back.name, back.args))
      }
      const alias = aliasOf(device)
      if (planned.isLinkDown) await monitor.execute('set_link', { name: alias, up: false })
    } catch (error) {
      for (const step of undo.toReversed()) await step().catch((cause) => this.#warn(cause))
      throw error
    }
    const list = devicesOf(this.#document, kind)
    this.#change(kind, withDevices(this.#document, kind, [...list, device]))
  }

  /** As `Guest.detachDevice`. */
  async detach({ kind, device }: DomainDevice, { signal }: CallOptions): Promise<void> {
    const { monitor, clock } = this.#parts
    const alias = aliasOf(device)
    const planned = planDevice({ kind, device }, this.#plan)
    const gone = new Promise<void>((resolve) => this.#waiting.set(alias, resolve))
    const over = new AbortController()
    try {
      await monitor.execute('device_del', { id: alias }, { signal }).catch((error: unknown) => {
        if (error instanceof QmpError && error.class === 'DeviceNotFound') this.deleted(alias)
        else ignoreLeaving(error)
      })
      const signals = signal ? AbortSignal.any([signal, over.signal]) : over.signal
      const timeout = clock.sleep(detachTimeoutMs, { signal: signals }).then(() => {
        throw new VirError('OPERATION_TIMEOUT', `The guest does not let go of the device '${alias}'`, {
          domain: 'QEMU',
          hint: 'Is its system up? It may do so later, and does when it restarts',
        })
      })
      await Promise.race([gone, timeout])
    } finally {
      over.abort()
      this.#waiting.delete(alias)
    }
    await this.#remove(kind, alias, planned)
  }

  /** As `Guest.updateDevice`. */
  async update(old: DomainDevice, changed: DomainDevice, options: CallOptions): Promise<void> {
    const { kind, device } = old
    const list = devicesOf(this.#document, kind)
    const index = list.findIndex((each) => aliasOf(each) === aliasOf(device))
    const updated = await this.#update(old, changed, options)
    this.#change(kind, withDevices(this.#document, kind, list.with(index, updated)))
  }

  /** A guest has let go of a device. */
  deleted(alias: string): void {
    const waiting = this.#waiting.get(alias)
    waiting?.()
    if (waiting) return
    for (const kind of ['disks', 'interfaces', 'rngs'] as const) {
      const device = devicesOf(this.#document, kind).find((each) => aliasOf(each) === alias)
      if (!device) continue
      const planned = planDevice({ kind, device }, this.#plan)
      void this.#remove(kind, alias, planned).then(() => this.#parts.onGone(kind))
    }
  }

  async #update(
    { kind, device }: DomainDevice,
    { device: wanted }: DomainDevice,
    options: CallOptions,
  ): Promise<InterfaceXml | DiskXml> {
    const { monitor } = this.#parts
    if (kind === 'interfaces' && sameBut(device, wanted, ['linkState'])) {
      const { linkState } = wanted as InterfaceXml
      await monitor.execute('set_link', { name: aliasOf(device), up: linkState !== 'down' }, options)
      return { ...(device as InterfaceXml), linkState }
    }
    if (kind === 'disks' && (device as DiskXml).device === 'cdrom' && sameBut(device, wanted, media)) {
      const { type, source, driver } = wanted as DiskXml
      const disk = { ...device, type, source, driver } as DiskXml
      await refuseGuessedDisk(disk)
      await changeMedium(device as DiskXml, disk, this.#plan, { ...this.#parts, signal: options.signal })
      return disk
    }
    throw cannot("Anything but an interface's link and the medium of a CD drive")
  }

  /** The device is gone: so is, then, what it was on the host. */
  async #remove(kind: DeviceKind, alias: string, planned: DevicePlan): Promise<void> {
    const { monitor } = this.#parts
    for (const { name, args } of afterwards(planned))
      await monitor.execute(name, args).catch((error) => this.#warn(error))
    const list = devicesOf(this.#document, kind).filter((each) => aliasOf(each) !== alias)
    this.#change(kind, withDevices(this.#document, kind, list))
  }

  #change(kind: DeviceKind, document: DomainXml): void {
    this.#changed.add(kind)
    this.#show(kind === 'interfaces' ? withLinkNames(document, this.#plan.taps) : document)
  }

  #show(document: DomainXml): void {
    this.#document = document
    this.#plan = planGuest(document, () => true)
  }

  #warn(error: unknown): void {
    this.#parts.logger.warn('What a device was on the host could not be removed', { error: messageOf(error) })
  }
}

/** What of a CD drive is its medium. */
const media = ['type', 'source', 'driver'] as const

/** A guest that has been asked before is waited for once more. */
function ignoreLeaving(error: unknown): void {
  if (!(error instanceof QmpError) || !/in the process of unplug/.test(error.message)) throw error
}
