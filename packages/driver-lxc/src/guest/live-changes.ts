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
import type { ConfigLine } from '../config/config-lines.js'
import { resourceLines } from '../config/limits.js'
import { freeAlias } from '../config/live-document.js'
import { generatedLinkName, isGeneratedName, linkLines, liveLinkNames } from '../config/network.js'
import type { HostFacts } from '../host/host-facts.js'
import { findOnHost } from '../host/inspect-host.js'
import { awaitLinkGone } from '../host/leftovers.js'
import { type Container, interfaces, LxcError, setLink } from '../native.js'
import { changeLimits, restoreLimits } from './container-limits.js'
import { nameLinks, type RunningLink } from './link-names.js'
import {
  isKnown,
  isSamePlug,
  keyOf,
  lookPlugged,
  onlyDevice,
  type Plug,
  type Plugged,
  type PlugPlace,
  type Plugs,
  plugIn,
  plugInOf,
  plugOf,
  plugOut,
  renamed,
  requireKnown,
  requirePlug,
  wordOf,
} from './plugs.js'

/** What {@link LiveChanges} is made of. */
export interface LiveChangesParts {
  readonly container: Container
  /** Live. */
  readonly document: DomainXml
  readonly host: HostFacts
  /** The links that it runs with, where liblxc chooses their names: they are learnt whenever it has started. */
  readonly links?: (() => Promise<readonly RunningLink[]>) | undefined
  /** It has ids of its own. */
  readonly ownIds: boolean
  readonly logger: Logger
  /** `MAJOR:MINOR` of the devices that it was started with, by their paths. */
  readonly devices?: ReadonlyMap<string, string> | undefined
  /** {@link LiveChanges.record}, of a container that is found again. */
  readonly record?: string | undefined
}

/** Limits in the words of lxc.container.conf(5). */
interface Limits {
  /** What liblxc sets whenever it starts the container. */
  readonly launched: readonly ConfigLine[]
  readonly wanted: readonly ConfigLine[]
}

interface Recorded {
  readonly launched: readonly (readonly [string, Plug])[]
  readonly plugs: readonly (readonly [string, Plug])[]
  readonly limits?: Limits | undefined
}

const pluggedKinds = ['interfaces', 'hostdevs', 'filesystems'] as const

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
  /** What liblxc gives it whenever it starts. */
  #launched: Plugs
  /** What it has by its document. */
  #plugs: Plugs
  /** Where they were changed. */
  #limits: Limits | undefined

  constructor(parts: LiveChangesParts) {
    this.#parts = parts
    this.#document = parts.document
    const recorded = parts.record === undefined ? undefined : (JSON.parse(parts.record) as Recorded)
    const plugs = recorded ? undefined : plugsOf(parts.document, parts.devices ?? new Map())
    this.#launched = plugs ?? new Map(recorded?.launched)
    this.#plugs = plugs ?? new Map(recorded?.plugs)
    this.#limits = recorded?.limits
  }

  get document(): DomainXml {
    return this.#document
  }

  /** What has to be remembered besides the document. */
  get record(): string {
    const recorded: Recorded = {
      launched: [...this.#launched],
      plugs: [...this.#plugs],
      limits: this.#limits,
    }
    return JSON.stringify(recorded)
  }

  /** See `Guest.attachDevice`. */
  async attach({ kind, device }: DomainDevice, { signal }: CallOptions): Promise<void> {
    const list = devicesOf(this.#document, kind)
    const named = await this.#named(kind, device)
    const document = withDevices(this.#document, kind, [...list, named])
    const given = await plugInOf(document, { kind, index: list.length }, this.#parts)
    await plugIn(this.#parts.container, given, signal)
    this.#document = document
    this.#plugs = new Map([...this.#plugs, [keyOf(kind, named), given.plug]])
  }

  /** See `Guest.detachDevice`. */
  async detach({ kind, device }: DomainDevice): Promise<void> {
    const list = devicesOf(this.#document, kind)
    const key = keyOf(kind, device)
    const index = list.indexOf(device)
    const plug = requirePlug(this.#document, { kind, index })
    await plugOut(this.#parts.container, this.#plugs.get(key) ?? plug)
    this.#document = withDevices(this.#document, kind, list.toSpliced(index, 1))
    this.#plugs = new Map([...this.#plugs].filter(([each]) => each !== key))
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
    const words = (link: InterfaceXml) => linkLines(link, liveLinkNames(link))
    requireKnown({ kind: 'link', words: words(from) })
    // The switch that it stays on may be none of the kernel's.
    const change = (link: InterfaceXml) =>
      words(link).filter(([key]) => key !== 'link' || link.type !== 'bridge' || isMoved(from, to))
    try {
      await setLink(this.#parts.container, change(kept), { signal })
    } catch (error) {
      await setLink(this.#parts.container, change(from)).catch(() => {})
      throw error instanceof LxcError && error.code === 'ENODEV' ? renamed(words(from), error) : error
    }
    this.#document = document
    this.#plugs = new Map([...this.#plugs, [keyOf(kind, kept), { kind: 'link', words: words(kept) }]])
  }

  /** See `Guest.tune`. */
  async tune(initPid: number, limits: GuestLimits): Promise<void> {
    const document = { ...this.#document, ...limits }
    const from = this.#limits?.wanted ?? (await this.#limitLines(this.#document))
    const wanted = await this.#limitLines(document)
    await changeLimits(initPid, from, wanted)
    this.#document = document
    this.#limits = { launched: this.#limits?.launched ?? from, wanted }
  }

  /** Learns the names of the links that liblxc has just given it, where they are liblxc's to choose. Failures are logged. */
  async learnLinks(): Promise<void> {
    const { links } = this.#parts
    if (!links) return
    const running = await links().catch((error: unknown) => {
      this.#warn('the names of its links', error)
      return []
    })
    const now = { document: this.#document, launched: this.#launched, plugs: this.#plugs }
    const named = nameLinks(now, running)
    this.#document = named.document
    this.#launched = named.launched
    this.#plugs = named.plugs
  }

  /** Makes a container that liblxc has started anew what its document says. Failures are logged. */
  async settle(initPid: number): Promise<void> {
    await this.learnLinks()
    const limits = this.#limits
    if (limits)
      await this.#logged('limits', async () => {
        for (const error of await restoreLimits(initPid, limits.launched, limits.wanted))
          this.#warn('a limit', error)
      })
    if (JSON.stringify([...this.#launched]) !== JSON.stringify([...this.#plugs]))
      await this.#logged('devices', () => this.#settleDevices(initPid))
  }

  async #settleDevices(initPid: number): Promise<void> {
    const { container } = this.#parts
    const stay = [...this.#plugs.values()]
    const gone = [...this.#launched.values()].filter((plug) => !stay.some((each) => isSamePlug(each, plug)))
    const booted = await lookPlugged(container, initPid)
    // The rule of a device is there, too, where its node is not.
    for (const plug of gone)
      if (plug.kind === 'mount' || booted.has(plug) || !isKnown(plug))
        await this.#logged('a device that it has no more', () => plugOut(container, plug))
    const left = gone.length === 0 ? booted : await lookPlugged(container, initPid)
    for (const kind of pluggedKinds)
      for (const [index, device] of devicesOf(this.#document, kind).entries()) {
        const key = keyOf(kind, device)
        const plug = this.#plugs.get(key)
        if (plug)
          await this.#logged(`number ${index} of its ${kind}`, () =>
            this.#settleDevice({ kind, index, key, plug }, left),
          )
      }
  }

  async #settleDevice(
    { kind, index, key, plug }: PlugPlace & { readonly key: string; readonly plug: Plug },
    left: Plugged,
  ): Promise<void> {
    const { container } = this.#parts
    requireKnown(plug)
    if (left.has(plug)) {
      const [old] = [...this.#launched.values()].filter((each) => isSamePlug(each, plug))
      const isUpdated = old !== undefined && JSON.stringify(old) !== JSON.stringify(plug)
      if (plug.kind === 'link' && isUpdated) await setLink(container, plug.words)
      return
    }
    const given = await plugInOf(this.#document, { kind, index }, this.#parts)
    if (plug.kind === 'link') await awaitLinkGone(wordOf(plug.words, 'veth.pair'))
    await plugIn(container, given)
    this.#plugs = new Map([...this.#plugs, [key, given.plug]])
  }

  async #limitLines(document: DomainXml): Promise<readonly ConfigLine[]> {
    const numbers = await findOnHost({ ...onlyDevice(document, 'leases', 0), blkiotune: document.blkiotune })
    return resourceLines(document, this.#parts.host, numbers)
  }

  /** With an alias, and a link with its names on both sides, that no other has. */
  async #named(kind: DeviceKind, device: DeviceXml): Promise<DeviceXml> {
    const prefix = prefixes[kind]
    if (prefix === undefined)
      throw unchangeable('Devices of this kind stay as they are while a container runs')
    const others = this.#document.devices[kind as 'interfaces' | 'filesystems' | 'hostdevs']
    const given = 'alias' in device && device.alias?.startsWith('ua-') ? device.alias : undefined
    const named = { ...device, alias: given ?? freeAlias(others, prefix) }
    if (kind !== 'interfaces') return named
    const link = named as InterfaceXml
    const isOpen = this.#parts.links !== undefined && link.guest?.dev === undefined
    const there = isOpen ? await interfaces(this.#parts.container) : []
    return this.#withNames(
      link,
      there.map(({ name }) => name),
    )
  }

  /** @param there the names of links that it has besides those of its document */
  #withNames(link: InterfaceXml, there: readonly string[]): InterfaceXml {
    const { interfaces } = this.#document.devices
    const inside = new Set([...interfaces.map(({ guest }) => guest?.dev), ...there])
    let number = 0
    while (inside.has(`eth${number}`)) number++
    // The names of pairs that it boots with come back.
    const launched = [...this.#launched.values()].map((plug) =>
      plug.kind === 'link' ? wordOf(plug.words, 'veth.pair') : '',
    )
    const outside = new Set([...launched, ...interfaces.map(({ target }) => target?.dev)])
    let pair = interfaces.length
    while (outside.has(generatedLinkName(this.#document, pair))) pair++
    const given = link.target?.dev
    const isGiven = given !== undefined && !isGeneratedName(given)
    return {
      ...link,
      target: { ...link.target, dev: isGiven ? given : generatedLinkName(this.#document, pair) },
      guest: { ...link.guest, dev: link.guest?.dev ?? `eth${number}` },
    }
  }

  async #logged(what: string, act: () => Promise<void>): Promise<void> {
    await act().catch((error: unknown) => this.#warn(what, error))
  }

  #warn(what: string, error: unknown): void {
    this.#parts.logger.warn('A container lacks something that it was given', {
      domain: this.#document.name,
      what,
      error: messageOf(error),
    })
  }
}

function plugsOf(document: DomainXml, numbers: ReadonlyMap<string, string>): Plugs {
  const plugs = pluggedKinds.flatMap((kind) =>
    devicesOf(document, kind).flatMap((device, index): (readonly [string, Plug])[] => {
      const plug = plugOf(document, { kind, index }, numbers)
      return plug ? [[keyOf(kind, device), plug]] : []
    }),
  )
  return new Map(plugs)
}

function isMoved(from: InterfaceXml, to: InterfaceXml): boolean {
  return from.type === 'bridge' && to.type === 'bridge' && from.source?.bridge !== to.source?.bridge
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
