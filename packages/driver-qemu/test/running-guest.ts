import type { GuestKind } from '@covirt/contract'
import type { Connection, Domain } from '@covirt/core'
import { uniqueName } from '../../../test/fixtures/index.js'
import { hears, QemuWorld } from './qemu-world.js'

/** A persistent domain whose guest is up, with all that is around it. */
export class RunningGuest implements AsyncDisposable {
  readonly world: QemuWorld
  #connection: Connection
  #domain: Domain

  private constructor(world: QemuWorld, connection: Connection, domain: Domain) {
    this.world = world
    this.#connection = connection
    this.#domain = domain
  }

  get connection(): Connection {
    return this.#connection
  }

  get domain(): Domain {
    return this.#domain
  }

  /** Closes the connection and opens another one, which finds the guest; `meanwhile` runs where no process has it. */
  async reopen(meanwhile: () => Promise<void> = async () => {}): Promise<Domain> {
    await this.#connection.close()
    await meanwhile()
    this.#connection = await this.world.open()
    this.#domain = await this.#connection.domains.lookupByUuid(this.#domain.uuid)
    return this.#domain
  }

  static async start(guest: GuestKind = 'plain'): Promise<RunningGuest> {
    const world = await QemuWorld.make('qemu', { agent: guest === 'agent' })
    const connection = await world.open()
    const domain = await connection.domains.define(world.domainXml({ name: uniqueName('guest'), guest }))
    await domain.start()
    await world.ready(domain)
    return new RunningGuest(world, connection, domain)
  }

  /** How many hundredths of a second the guest has counted. */
  async ticks(): Promise<number> {
    const console = await this.domain.openConsole({ force: true })
    const heard = hears(console, /FX-TICKS \d+\r/)
    console.write('t')
    const ticks = /FX-TICKS (\d+)/.exec(await heard)?.[1]
    console.destroy()
    return Number(ticks)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const domain of await this.#connection.domains.list({ active: true })) await domain.destroy()
    await this.#connection.close()
    await this.world[Symbol.asyncDispose]()
  }
}
