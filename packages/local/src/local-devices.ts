import {
  type CallOptions,
  type ChangeOptions,
  type DevicesRole,
  type DomainRef,
  VirError,
} from '@covirt/core'
import {
  type DeviceXml,
  type DomainDevice,
  type DomainXml,
  deviceElementName,
  devicesOf,
  parseDevice,
  withDevices,
} from '@covirt/xml'
import type { DocumentChanges } from './document-changes.js'
import type { ActiveGuest } from './domain-entry.js'
import { aliasOf, findAlias, findDevice, requireDistinct } from './find-device.js'
import type { Guest, Hypervisor } from './hypervisor.js'

/** What {@link LocalDevices} works with. */
export interface LocalDevicesParts {
  readonly hypervisor: Hypervisor
  readonly changes: DocumentChanges
}

/** The role `devices`, over what guests can. */
export class LocalDevices implements DevicesRole {
  readonly #parts: LocalDevicesParts

  constructor(parts: LocalDevicesParts) {
    this.#parts = parts
  }

  async attachDevice(domain: DomainRef, xml: string, options: ChangeOptions = {}): Promise<void> {
    const { hypervisor, changes } = this.#parts
    await changes.run(domain, 'attach-device', options, ({ active, definition }) => {
      const { kind, device: given } = parseDevice(xml)
      let device = given
      const add = (document: DomainXml) => {
        if (document === definition) device = withoutAlias(device)
        requireDistinct(document, { kind, device })
        const changed = hypervisor.prepare(
          withDevices(document, kind, [...devicesOf(document, kind), device]),
        )
        device = devicesOf(changed, kind).at(-1) ?? device
        return changed
      }
      // The guest's first: the definition gets what was made up for it.
      const attach = active && can(active.guest, 'attachDevice', kind)
      if (active) add(shown(active, kind))
      const forGuest = device
      const changed = definition && add(definition)
      return {
        definition: changed,
        live:
          active && attach && live(active, kind, (running) => attach({ kind, device: forGuest }, running)),
      }
    })
  }

  async detachDevice(domain: DomainRef, xml: string, options: ChangeOptions = {}): Promise<void> {
    const given = parseDevice(xml)
    await this.#detach(domain, options, (document) => findDevice(document, given))
  }

  async detachDeviceAlias(domain: DomainRef, alias: string, options: ChangeOptions = {}): Promise<void> {
    await this.#detach(domain, options, (document, running) => {
      const known = running && findAlias(running, alias)
      return known && document !== running ? findDevice(document, known) : findAlias(document, alias)
    })
  }

  async updateDevice(domain: DomainRef, xml: string, options: ChangeOptions = {}): Promise<void> {
    const { hypervisor, changes } = this.#parts
    await changes.run(domain, 'update-device', options, ({ active, definition }) => {
      const given = parseDevice(xml)
      const { kind } = given
      const change = (document: DomainXml) => {
        const found = findDevice(document, given)
        const index = devicesOf(document, kind).indexOf(found.device)
        const device = sameAlias(withoutAlias(given.device), found.device)
        const changed = hypervisor.prepare(
          withDevices(document, kind, devicesOf(document, kind).with(index, device)),
        )
        return { found, changed, to: { kind, device: devicesOf(changed, kind)[index] ?? device } }
      }
      const update = active && can(active.guest, 'updateDevice', kind)
      const { found, to } = active ? change(shown(active, kind)) : {}
      const { changed } = definition ? change(definition) : {}
      return {
        definition: changed,
        live: active && update && found && to && live(active, kind, (running) => update(found, to, running)),
      }
    })
  }

  /** `find` is given the document that a device is removed from, and that of the guest that there may be. */
  async #detach(
    domain: DomainRef,
    options: ChangeOptions,
    find: (document: DomainXml, running: DomainXml | undefined) => DomainDevice,
  ): Promise<void> {
    const { hypervisor, changes } = this.#parts
    await changes.run(domain, 'detach-device', options, ({ active, definition }, entry) => {
      const running = entry.active?.guest.document
      const found = active && find(active.guest.document, running)
      const detach = active && found && can(active.guest, 'detachDevice', found.kind)
      const gone = definition && find(definition, running)
      return {
        definition: definition && gone && hypervisor.prepare(without(definition, gone)),
        live: active && found && detach && live(active, found.kind, (signal) => detach(found, signal)),
      }
    })
  }
}

function without(document: DomainXml, { kind, device }: DomainDevice): DomainXml {
  return withDevices(
    document,
    kind,
    devicesOf(document, kind).filter((each) => each !== device),
  )
}

/** The guest's way to change a device, or `OPERATION_UNSUPPORTED`. */
function can<M extends 'attachDevice' | 'detachDevice' | 'updateDevice'>(
  guest: Guest,
  method: M,
  kind: DomainDevice['kind'],
): NonNullable<Guest[M]> {
  const found = guest[method]
  if (found) return found.bind(guest) as NonNullable<Guest[M]>
  throw new VirError(
    'OPERATION_UNSUPPORTED',
    `A <${deviceElementName(kind)}> of this guest cannot be changed while it runs`,
    { domain: 'DOM', hint: 'Change the definition alone (--config): the next start uses it' },
  )
}

/** What the guest was launched from, with the devices of this kind that it has now. */
function shown({ document, guest }: ActiveGuest, kind: DomainDevice['kind']): DomainXml {
  return withDevices(document, kind, devicesOf(guest.document, kind))
}

/** After `act` the guest is one that was launched from a document with the devices that it then has. */
function live(
  active: ActiveGuest,
  kind: DomainDevice['kind'],
  act: (options: CallOptions) => Promise<void>,
): (options: CallOptions) => Promise<void> {
  return async (options) => {
    await act(options)
    active.document = shown(active, kind)
  }
}

/** Those that a guest is given are of that guest alone; a user's own begin with `ua-`. */
function withoutAlias<D extends DeviceXml>(device: D): D {
  const alias = aliasOf(device)
  return alias === undefined || alias.startsWith('ua-') ? device : { ...device, alias: undefined }
}

function sameAlias<D extends DeviceXml>(device: D, old: DeviceXml): D {
  const alias = aliasOf(old)
  return alias === undefined ? device : { ...device, alias }
}
