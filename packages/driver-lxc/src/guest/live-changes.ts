import { type CallOptions, type Logger, messageOf, VirError } from '@covirt/core'
import type { GuestLimits } from '@covirt/local'
import {
  type DeviceKind,
  type DeviceXml,
  type DomainDevice,
  type DomainXml,
  devicesOf,
  type InterfaceXml,
  plain,
  withDevices,
} from '@covirt/xml'
import { resourceLines } from '../config/limits.js'
import { freeAlias } from '../config/live-document.js'
import { generatedLinkName, hostLinkName, linkLines } from '../config/network.js'
import type { HostFacts } from '../host/host-facts.js'
import { findOnHost } from '../host/inspect-host.js'
import { awaitLinkGone } from '../host/leftovers.js'
import { type Container, setLink } from '../native.js'
import { changeLimits } from './container-limits.js'
import { isSamePlug, lookPlugged, onlyDevice, type Plug, plugIn, plugOf, plugOut } from './plugs.js'

/** What {@link LiveChanges} is made of. */
export interface LiveChangesParts {
  readonly container: Container
  /** Live. */
  readonly document: DomainXml
  readonly host: HostFacts
  /** It has ids of its own. */
  readonly ownIds: boolean
  readonly logger: Logger
  /** {@link LiveChanges.record}, of a container that is found again. */
  readonly record?: string | undefined
}

const prefixes: Readonly<Partial<Record<DeviceKind, string>>> = {
  interfaces: 'net',
  filesystems: 'fs',
  hostdevs: 'hostdev',
}

/**
 * What a container is given, and what is taken from it, while it runs. When it restarts by itself, liblxc gives it what
 * it was started with; then, and when it is found again, it is made what its document says.
 */
export class LiveChanges {
  readonly #parts: LiveChangesParts
  #document: DomainXml
  /** What it was started with and has no more. */
  #gone: readonly Plug[]
  #isChanged: boolean

  constructor(parts: LiveChangesParts) {
    this.#parts = parts
    this.#document = parts.document
    this.#isChanged = parts.record !== undefined
    this.#gone = parts.record === undefined ? [] : (JSON.parse(parts.record) as readonly Plug[])
  }

  get document(): DomainXml {
    return this.#document
  }

  /** What has to be remembered, where anything was changed. */
  get record(): string | undefined {
    return this.#isChanged ? JSON.stringify(this.#gone) : undefined
  }

  /** See `Guest.attachDevice`. */
  async attach({ kind, device }: DomainDevice, { signal }: CallOptions): Promise<void> {
    const { container } = this.#parts
    const list = devicesOf(this.#document, kind)
    const document = withDevices(this.#document, kind, [...list, this.#named(kind, device)])
    const plug = await this.#plug(document, kind, list.length)
    await findOnHost(onlyDevice(document, kind, list.length))
    await plugIn(container, plug, signal)
    this.#gone = this.#gone.filter((each) => !isSamePlug(each, plug))
    this.#change(document)
  }

  /** See `Guest.detachDevice`. */
  async detach({ kind, device }: DomainDevice): Promise<void> {
    const list = devicesOf(this.#document, kind)
    const { stage: _, idmaps: __, ...plug } = await this.#plug(this.#document, kind, list.indexOf(device))
    await plugOut(this.#parts.container, plug)
    this.#gone = [...this.#gone.filter((each) => !isSamePlug(each, plug)), plug]
    this.#change(
      withDevices(
        this.#document,
        kind,
        list.filter((each) => each !== device),
      ),
    )
  }

  /** See `Guest.updateDevice`: of a network link, whether it is up, and on which bridge. */
  async update(
    { kind, device }: DomainDevice,
    changed: DomainDevice,
    { signal }: CallOptions,
  ): Promise<void> {
    if (kind !== 'interfaces') throw unchangeable('Only network links are changed while a container runs')
    const [from, to] = [device as InterfaceXml, changed.device as InterfaceXml]
    const kept = { ...to, target: from.target, guest: from.guest } as InterfaceXml
    if (!isSame(withoutChangeable(from), withoutChangeable(kept)))
      throw unchangeable('Of a network link that is up, its state and its bridge are changed')
    const list = devicesOf(this.#document, kind)
    const index = list.indexOf(device)
    const document = withDevices(this.#document, kind, list.with(index, kept))
    await findOnHost(onlyDevice(document, kind, index))
    const words = (link: InterfaceXml) => linkLines(link, index, hostLinkName(document, index))
    try {
      await setLink(this.#parts.container, words(kept), { signal })
    } catch (error) {
      await setLink(this.#parts.container, words(from)).catch(() => {})
      throw error
    }
    this.#change(document)
  }

  /** See `Guest.tune`. */
  async tune(initPid: number, limits: GuestLimits): Promise<void> {
    const document = { ...this.#document, ...limits }
    await changeLimits(initPid, await this.#limits(this.#document), await this.#limits(document))
    this.#change(document)
  }

  /** Makes the container what its document says, where it may be something else. Failures are logged. */
  async settle(initPid: number): Promise<void> {
    if (!this.#isChanged) return
    await this.#logged('limits', async () => changeLimits(initPid, [], await this.#limits(this.#document)))
    await this.#logged('devices', () => this.#settleDevices(initPid))
  }

  async #settleDevices(initPid: number): Promise<void> {
    const { container } = this.#parts
    const now = await lookPlugged(container, initPid)
    for (const plug of this.#gone)
      if (now.has(plug)) await this.#logged('a device that it has no more', () => plugOut(container, plug))
    for (const kind of ['interfaces', 'hostdevs', 'filesystems'] as const)
      for (const index of devicesOf(this.#document, kind).keys())
        await this.#logged(`number ${index} of its ${kind}`, async () => {
          // Some are made when a container starts alone.
          const target = kind === 'filesystems' && this.#document.devices.filesystems[index]?.target
          if (target && now.has({ kind: 'mount', target, lazy: false })) return
          const plug = await this.#plug(this.#document, kind, index)
          if (now.has(plug)) return
          if (kind === 'interfaces') await awaitLinkGone(hostLinkName(this.#document, index))
          await plugIn(container, plug)
        })
  }

  #plug(document: DomainXml, kind: DeviceKind, index: number) {
    return plugOf(document, { kind, index, ownIds: this.#parts.ownIds })
  }

  async #limits(document: DomainXml) {
    const numbers = await findOnHost({ ...onlyDevice(document, 'leases', 0), blkiotune: document.blkiotune })
    return resourceLines(document, this.#parts.host, numbers)
  }

  /** With an alias, and a link with its names on both sides, that no other has. */
  #named(kind: DeviceKind, device: DeviceXml): DeviceXml {
    const prefix = prefixes[kind]
    if (prefix === undefined)
      throw unchangeable('Devices of this kind stay as they are while a container runs')
    const others = this.#document.devices[kind as 'interfaces' | 'filesystems' | 'hostdevs']
    const given = 'alias' in device && device.alias?.startsWith('ua-') ? device.alias : undefined
    const named = { ...device, alias: given ?? freeAlias(others, prefix) }
    return kind === 'interfaces' ? this.#withNames(named as InterfaceXml) : named
  }

  #withNames(link: InterfaceXml): InterfaceXml {
    const { interfaces } = this.#document.devices
    const inside = new Set(interfaces.map(({ guest }) => guest?.dev))
    let number = 0
    while (inside.has(`eth${number}`)) number++
    const outside = new Set(interfaces.map(({ target }) => target?.dev))
    let pair = interfaces.length
    while (outside.has(generatedLinkName(this.#document, pair))) pair++
    return {
      ...link,
      target: { ...link.target, dev: link.target?.dev ?? generatedLinkName(this.#document, pair) },
      guest: { ...link.guest, dev: link.guest?.dev ?? `eth${number}` },
    }
  }

  #change(document: DomainXml): void {
    this.#document = document
    this.#isChanged = true
  }

  async #logged(what: string, act: () => Promise<void>): Promise<void> {
    try {
      await act()
    } catch (error) {
      this.#parts.logger.warn('A container lacks something that it was given', {
        domain: this.#document.name,
        what,
        error: messageOf(error),
      })
    }
  }
}

function withoutChangeable({ linkState: _, source, ...link }: InterfaceXml): unknown {
  return plain({ ...link, source: link.type === 'bridge' ? undefined : source })
}

function isSame(a: unknown, b: unknown): boolean {
  const text = (value: unknown) =>
    JSON.stringify(value, (_, part: unknown) =>
      typeof part === 'object' && part !== null && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).sort(([left], [right]) => (left < right ? -1 : 1)))
        : part,
    )
  return text(a) === text(b)
}

function unchangeable(message: string): VirError {
  return new VirError('OPERATION_UNSUPPORTED', message, {
    domain: 'LXC',
    hint: 'Change the definition alone (--config): the next start uses it',
  })
}
