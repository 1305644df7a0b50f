import { type DomainRef, type Driver, type DriverEvent, VirError } from '@covirt/core'
import {
  covirtMessages,
  type DomainEventBody,
  type DomainMessageName,
  domainEventIds,
  domainMessages,
  eventToBody,
  legacyDomainMessages,
  type Message,
} from '@covirt/protocol'

interface Registration {
  readonly name: DomainMessageName
  /** The one domain it is for; all of them otherwise. */
  readonly uuid: string | undefined
}

/** What {@link EventRegistrations} needs of its session. */
export interface EventSink {
  send<M>(message: Message<M>, body: M): void
}

/** What one client wants to be told of. Events go out in the order in which the driver tells them. */
export class EventRegistrations {
  readonly #sink: EventSink
  readonly #max: number
  readonly #registrations = new Map<number, Registration>()
  /** Things that never have events, as there are no such things: networks, pools, devices, secrets. */
  readonly #silent = new Set<number>()
  readonly #legacy = new Set<DomainMessageName>()
  #nextId = 0
  #unsubscribe: (() => void) | undefined
  #resync = false

  constructor(sink: EventSink, max: number) {
    this.#sink = sink
    this.#max = max
  }

  /** The id of a new registration. `INVALID_ARG` where there are no events of that kind. */
  add(driver: Driver, eventId: number, domain: DomainRef | undefined): number {
    const name = nameOf(eventId)
    const id = this.#newId()
    this.#registrations.set(id, { name, uuid: domain?.uuid })
    this.#subscribe(driver)
    return id
  }

  remove(id: number): void {
    if (!this.#registrations.delete(id)) throw unknownId(id)
    this.#unsubscribeWhereIdle()
  }

  /** The id of a registration for events that will not come. */
  addSilent(): number {
    const id = this.#newId()
    this.#silent.add(id)
    return id
  }

  removeSilent(id: number): void {
    if (!this.#silent.delete(id)) throw unknownId(id)
  }

  /** For clients that know no ids. How many registrations of this form there are now. */
  addLegacy(driver: Driver, eventId: number): number {
    const name = nameOf(eventId)
    if (!(name in legacyDomainMessages))
      throw new VirError('INVALID_ARG', `Events of kind ${eventId} need a registration with an id`)
    if (this.#legacy.has(name))
      throw new VirError('INVALID_ARG', `You are registered for events of kind ${eventId} already`)
    this.#legacy.add(name)
    this.#subscribe(driver)
    return this.#legacy.size
  }

  removeLegacy(eventId: number): number {
    if (!this.#legacy.delete(nameOf(eventId)))
      throw new VirError('INVALID_ARG', `You are not registered for events of kind ${eventId}`)
    this.#unsubscribeWhereIdle()
    return this.#legacy.size
  }

  /** Tells also that events were missed, which clients of libvirt do not know. */
  tellResync(): void {
    this.#resync = true
  }

  clear(): void {
    this.#registrations.clear()
    this.#silent.clear()
    this.#legacy.clear()
    this.#unsubscribeWhereIdle()
  }

  #newId(): number {
    if (this.#registrations.size + this.#silent.size >= this.#max)
      throw new VirError('OPERATION_FAILED', `A connection may have ${this.#max} registrations for events`, {
        domain: 'EVENT',
      })
    return this.#nextId++
  }

  #subscribe(driver: Driver): void {
    this.#unsubscribe ??= driver.subscribe((event) => this.#deliver(event))
  }

  #unsubscribeWhereIdle(): void {
    if (this.#registrations.size + this.#legacy.size > 0) return
    this.#unsubscribe?.()
    this.#unsubscribe = undefined
  }

  #deliver(event: DriverEvent): void {
    if (event.type === 'resync') {
      if (this.#resync) this.#sink.send(covirtMessages.resync, { dropped: event.dropped })
      return
    }
    const told = eventToBody(event)
    const { uuid } = told.body.domain
    for (const [callbackId, registration] of this.#registrations) {
      if (registration.name !== told.name) continue
      if (registration.uuid !== undefined && registration.uuid !== uuid) continue
      this.#send(domainMessages[told.name], { callbackId, ...told.body })
    }
    if (this.#legacy.has(told.name)) this.#sendLegacy(told)
  }

  #sendLegacy({ name, body }: DomainEventBody): void {
    if (name !== 'agentLifecycle') this.#send(legacyDomainMessages[name], body)
  }

  /** The message and the body belong together by their name, which TypeScript does not follow. */
  #send(message: Message, body: unknown): void {
    this.#sink.send(message, body)
  }
}

function nameOf(eventId: number): DomainMessageName {
  const name = domainEventIds[eventId]
  if (name) return name
  throw new VirError('INVALID_ARG', `There are no events of kind ${eventId}`, { domain: 'EVENT' })
}

function unknownId(id: number): VirError {
  return new VirError('INVALID_ARG', `There is no registration for events with id ${id}`, { domain: 'EVENT' })
}
