import type { CallOptions, Connection, Domain, DomainState, StartOptions } from '@covirt/core'
import { isActive, VirError } from '@covirt/core'
import { expect } from '@jest/globals'
import type { DomainSpec, DriverWorld } from './driver-fixture.js'
import { EventLog } from './event-log.js'

/** Virtual time that a test may spend waiting for one thing, in milliseconds. */
const patienceMs = 600_000

/** Where one test plays: a world, a connection to it, and a log of its events. */
export class Scene implements AsyncDisposable {
  readonly world: DriverWorld
  readonly events = new EventLog()
  #connection: Connection

  private constructor(world: DriverWorld, connection: Connection) {
    this.world = world
    this.#connection = connection
    this.events.follow(connection)
  }

  static async open(world: DriverWorld): Promise<Scene> {
    return new Scene(world, await world.open())
  }

  get connection(): Connection {
    return this.#connection
  }

  /** A definition; the name is a new one unless it is given. */
  xml(spec: Partial<DomainSpec> = {}): string {
    return this.world.domainXml({ ...spec, name: spec.name ?? this.world.uniqueName('dom') })
  }

  define(spec?: Partial<DomainSpec>): Promise<Domain> {
    return this.connection.domains.define(this.xml(spec))
  }

  create(spec?: Partial<DomainSpec>, options?: StartOptions): Promise<Domain> {
    return this.connection.domains.create(this.xml(spec), options)
  }

  /** A persistent domain that runs and acts on what it is asked. */
  async running(spec?: Partial<DomainSpec>): Promise<Domain> {
    const domain = await this.define(spec)
    await domain.start()
    await this.until(this.world.ready(domain))
    return domain
  }

  /** A persistent domain that came up and was then suspended. */
  async paused(spec?: Partial<DomainSpec>): Promise<Domain> {
    const domain = await this.running(spec)
    await domain.suspend()
    return domain
  }

  /** Waits, and lets virtual time pass where there is such a thing. */
  async until<T>(promise: Promise<T>): Promise<T> {
    if (!this.world.advance) return promise
    let waiting = true
    const over = () => {
      waiting = false
    }
    promise.then(over, over)
    const stepMs = 100
    for (let passedMs = 0; waiting; passedMs += stepMs) {
      if (passedMs > patienceMs) throw new Error(`Nothing happened within ${patienceMs} ms of virtual time`)
      await this.world.advance(stepMs)
    }
    return promise
  }

  /** Waits until the domain is in this state. */
  state(domain: Domain, state: DomainState['state']): Promise<DomainState> {
    return this.until(domain.waitFor(state))
  }

  /** Waits for an event: one in the log, or the next. */
  seen(name: string, domain?: Domain): Promise<unknown> {
    return this.until(this.events.seen(name, domain))
  }

  /** The names of the events that came by the moment at which `call` had resolved. */
  async eventsOf(call: () => Promise<unknown>): Promise<string[]> {
    this.events.clear()
    await call()
    return this.events.names()
  }

  /** Closes the connection and opens another one on the same world. */
  async reopen(options: { readonly meanwhile?: () => Promise<void> } = {}): Promise<Connection> {
    await this.#connection.close()
    await options.meanwhile?.()
    this.#connection = await this.world.open()
    this.events.follow(this.#connection)
    return this.#connection
  }

  /** The same domain, as the present connection knows it. */
  again(domain: { readonly uuid: string }, options?: CallOptions): Promise<Domain> {
    return this.connection.domains.lookupByUuid(domain.uuid, options)
  }

  /**
   * Expects `call` to reject with a `VirError` of this code and to have changed and emitted nothing. Resolves
   * to the error.
   */
  async refuses(code: VirError['code'], call: () => Promise<unknown>): Promise<VirError> {
    const before = await this.snapshot()
    this.events.clear()
    const error = await rejection(call)
    expect(error).toMatchObject({ code, message: expect.stringMatching(/\S/) })
    expect(error).toBeInstanceOf(VirError)
    expect(this.events.names()).toEqual([])
    expect(await this.snapshot()).toEqual(before)
    return error as VirError
  }

  /** All that can be known of all domains and does not change by itself. */
  async snapshot(): Promise<unknown> {
    const stats = await this.connection.domains.stats()
    const domains = await Promise.all(
      stats.map(async ({ domain, type, state, persistent, autostart, maxMemoryKib, vcpus }) => {
        const handle = await this.again(domain)
        const live = await handle.xml({ secure: true })
        const inactive = await handle.xml({ secure: true, inactive: true })
        return { domain, type, state, persistent, autostart, maxMemoryKib, vcpus, live, inactive }
      }),
    )
    return domains.sort((a, b) => a.domain.uuid.localeCompare(b.domain.uuid))
  }

  /** Leaves nothing: ends all guests, closes, and gives the world back. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (this.#connection.closed) this.#connection = await this.world.open()
      const { driver } = this.#connection
      const stats = await driver.getAllDomainStats()
      const left = stats.filter(({ state }) => isActive(state))
      await Promise.allSettled(left.map(({ domain }) => driver.destroyDomain(domain)))
      await this.#connection.close()
    } finally {
      await this.world[Symbol.asyncDispose]()
    }
  }
}

/** What `call` rejected with; a resolved call is a failure of the test. */
export async function rejection(call: () => Promise<unknown>): Promise<unknown> {
  try {
    await call()
  } catch (error) {
    return error
  }
  throw new Error('The call resolved, and should have been refused')
}
