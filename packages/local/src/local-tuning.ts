import {
  type BlkioDevice,
  type BlkioParameters,
  type ChangeOptions,
  type DomainRef,
  isVirError,
  type MemoryParameters,
  type SchedulerParameters,
  type TuningRole,
  throwIfAborted,
  unlimitedMemoryKib,
  type VcpuOptions,
  VirError,
} from '@covirt/core'
import type { DomainXml } from '@covirt/xml'
import { chooseDocuments, type DocumentChanges } from './document-changes.js'
import type { DomainEntry } from './domain-entry.js'
import type { Guest, GuestLimits, Hypervisor, TuningDefaults } from './hypervisor.js'

/** What {@link LocalTuning} works with. */
export interface LocalTuningParts {
  readonly hypervisor: Hypervisor
  readonly defaults: TuningDefaults
  readonly changes: DocumentChanges
  readonly find: (domain: DomainRef) => DomainEntry
}

/** The role `tuning`, over what guests can. */
export class LocalTuning implements TuningRole {
  readonly #parts: LocalTuningParts

  constructor(parts: LocalTuningParts) {
    this.#parts = parts
  }

  async setMemory(domain: DomainRef, memoryKib: number, options: ChangeOptions = {}): Promise<void> {
    await this.#tune(domain, options, (document) => {
      checkMost('memory', memoryKib, Number(document.memoryKib ?? 0), 'KiB')
      return { ...document, currentMemoryKib: BigInt(memoryKib) }
    })
  }

  async setMaxMemory(domain: DomainRef, memoryKib: number, options: ChangeOptions = {}): Promise<void> {
    await this.#tune(domain, options, (document) => {
      checkMost('memory', memoryKib, Number.MAX_SAFE_INTEGER, 'KiB')
      const most = BigInt(memoryKib)
      const { currentMemoryKib } = document
      const isTooMuch = currentMemoryKib !== undefined && currentMemoryKib > most
      return { ...document, memoryKib: most, currentMemoryKib: isTooMuch ? most : currentMemoryKib }
    })
  }

  async setVcpus(
    domain: DomainRef,
    count: number,
    { maximum = false, ...options }: ChangeOptions & VcpuOptions = {},
  ): Promise<void> {
    await this.#tune(domain, options, (document) => {
      const { vcpu } = document
      checkMost('processors', count, maximum ? maxVcpus : (vcpu?.count ?? 1), '')
      if (!maximum) return { ...document, vcpu: { ...vcpu, current: count } }
      const isTooMuch = vcpu?.current !== undefined && vcpu.current > count
      return { ...document, vcpu: { ...vcpu, count, current: isTooMuch ? count : vcpu?.current } }
    })
  }

  async getVcpus(
    domain: DomainRef,
    { maximum = false, ...options }: ChangeOptions & VcpuOptions = {},
  ): Promise<number> {
    const { vcpu } = this.#read(domain, options)
    const { count = 1, current = count } = vcpu ?? {}
    return maximum ? count : current
  }

  async getSchedulerParameters(domain: DomainRef, options: ChangeOptions = {}): Promise<SchedulerParameters> {
    return known(this.#parts.defaults.scheduler, this.#read(domain, options).cputune)
  }

  async setSchedulerParameters(
    domain: DomainRef,
    parameters: SchedulerParameters,
    options: ChangeOptions = {},
  ): Promise<void> {
    this.#checkKnown('scheduler', parameters)
    await this.#tune(domain, options, (document) => ({
      ...document,
      cputune: {
        vcpuPins: [],
        iothreadPins: [],
        vcpuSchedulers: [],
        ...document.cputune,
        ...said(parameters),
      },
    }))
  }

  async getMemoryParameters(domain: DomainRef, options: ChangeOptions = {}): Promise<MemoryParameters> {
    return known(this.#parts.defaults.memory, this.#read(domain, options).memtune)
  }

  async setMemoryParameters(
    domain: DomainRef,
    parameters: MemoryParameters,
    options: ChangeOptions = {},
  ): Promise<void> {
    this.#checkKnown('memory', parameters)
    const limits = Object.entries(said(parameters)).map(([name, kib]) => [
      name,
      kib >= unlimitedMemoryKib ? undefined : kib,
    ])
    await this.#tune(domain, options, (document) => ({
      ...document,
      memtune: orNothing({ ...document.memtune, ...Object.fromEntries(limits) }),
    }))
  }

  async getBlkioParameters(domain: DomainRef, options: ChangeOptions = {}): Promise<BlkioParameters> {
    const { blkiotune } = this.#read(domain, options)
    const weight = blkiotune?.weight ?? this.#parts.defaults.blkio.weight
    const devices = (blkiotune?.devices ?? []).flatMap(({ path, ...limits }): BlkioDevice[] =>
      path === undefined ? [] : [{ path, ...said(limits) }],
    )
    return { ...(weight !== undefined && { weight }), devices }
  }

  async setBlkioParameters(
    domain: DomainRef,
    parameters: BlkioParameters,
    options: ChangeOptions = {},
  ): Promise<void> {
    this.#checkKnown('blkio', parameters)
    const { weight, devices = [] } = parameters
    await this.#tune(domain, options, (document) => {
      const old = document.blkiotune
      return {
        ...document,
        blkiotune: orNothing({
          ...old,
          ...(weight !== undefined && { weight: weight || undefined }),
          devices: devices.reduce(withLimits, old?.devices ?? []),
        }),
      }
    })
  }

  #read(domain: DomainRef, { signal, live, config }: ChangeOptions): DomainXml {
    throwIfAborted(signal)
    if (live && config)
      throw new VirError('INVALID_ARG', 'Only one of two documents can be read', { domain: 'DOM' })
    const { active, definition } = chooseDocuments(this.#parts.find(domain), { live, config })
    return (active?.document ?? definition) as DomainXml
  }

  #checkKnown(group: keyof TuningDefaults, parameters: object): void {
    const names = Object.keys(this.#parts.defaults[group])
    const other = Object.entries(parameters).find(
      ([name, value]) => value !== undefined && !names.includes(name),
    )
    if (!other) return
    throw new VirError(
      'CONFIG_UNSUPPORTED',
      `The ${this.#parts.hypervisor.type} driver has no ${group} parameter '${other[0]}'`,
      { domain: 'DOM', hint: names.length > 0 ? `It has: ${names.join(', ')}` : 'It has none' },
    )
  }

  async #tune(
    domain: DomainRef,
    options: ChangeOptions,
    change: (document: DomainXml) => DomainXml,
  ): Promise<void> {
    const { changes } = this.#parts
    await changes.run(domain, 'tune', options, ({ active, definition }) => {
      const limits = active && limitsOf(this.#prepared(change(active.document)))
      const tune = active && requireTunable(active.guest)
      return {
        definition: definition && this.#prepared(change(definition)),
        live:
          active &&
          limits &&
          tune &&
          (async (running) => {
            await tune(limits, running)
            active.document = { ...active.document, ...limits }
          }),
      }
    })
  }

  /** What is wrong now was given as an argument. */
  #prepared(document: DomainXml): DomainXml {
    try {
      return this.#parts.hypervisor.prepare(document)
    } catch (error) {
      if (!isVirError(error, 'XML_ERROR')) throw error
      const { message, hint } = error
      throw new VirError('INVALID_ARG', message, {
        domain: 'DOM',
        cause: error,
        ...(hint !== undefined && { hint }),
      })
    }
  }
}

/** More than any guest has. */
const maxVcpus = 65_535

const limitNames = ['weight', 'readIopsSec', 'writeIopsSec', 'readBytesSec', 'writeBytesSec'] as const

type BlkioDeviceXml = NonNullable<DomainXml['blkiotune']>['devices'][number]

function withLimits(devices: readonly BlkioDeviceXml[], { path, ...limits }: BlkioDevice): BlkioDeviceXml[] {
  const old = devices.find((each) => each.path === path)
  const changed = Object.entries(said(limits)).map(([name, value]) => [name, value || undefined])
  const device: BlkioDeviceXml = { ...old, path, ...Object.fromEntries(changed) }
  const isLimited = limitNames.some((name) => device[name] !== undefined)
  const others = devices.filter((each) => each !== old)
  if (!isLimited) return others
  return old ? devices.map((each) => (each === old ? device : each)) : [...others, device]
}

function limitsOf({
  memoryKib,
  currentMemoryKib,
  vcpu,
  cputune,
  memtune,
  blkiotune,
}: DomainXml): GuestLimits {
  return { memoryKib, currentMemoryKib, vcpu, cputune, memtune, blkiotune }
}

function requireTunable(guest: Guest): NonNullable<Guest['tune']> {
  if (guest.tune) return guest.tune.bind(guest)
  throw new VirError('OPERATION_UNSUPPORTED', 'What this guest may use cannot be changed while it runs', {
    domain: 'DOM',
    hint: 'Change the definition alone (--config): the next start uses it',
  })
}

function checkMost(what: string, value: number, most: number, unit: string): void {
  if (Number.isSafeInteger(value) && value > 0 && value <= most) return
  throw new VirError('INVALID_ARG', `A domain cannot have ${value} ${unit} ${what}`.replace('  ', ' '), {
    domain: 'DOM',
    hint: `It can have ${most} ${unit}`.trimEnd(),
  })
}

/** The parameters that have defaults, as `values` or else these say. */
function known<P extends object>(defaults: P, values: Partial<P> | undefined): P {
  const names = Object.keys(defaults) as (keyof P)[]
  return Object.fromEntries(names.map((name) => [name, values?.[name] ?? defaults[name]])) as P
}

/** An element that says nothing is none. */
function orNothing<P extends object>(values: P): P | undefined {
  const isEmpty = Object.values(values).every((value) => value === undefined || value.length === 0)
  return isEmpty ? undefined : values
}

function said<P extends object>(parameters: P): P {
  return Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== undefined)) as P
}
