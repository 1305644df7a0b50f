import type { Domain } from '@covirt/core'
import { expect } from '@jest/globals'
import type { DriverFixture, GuestKind } from './driver-fixture.js'
import { Scene } from './scene.js'

/** A test of what a guest that runs says of itself. */
export type GuestScenario = (domain: Domain, scene: Scene) => Promise<void>

interface Place {
  readonly scene: Scene
  readonly domain: Domain
}

/** The guests that tests share: one of each kind, in a scene of its own, from when the first test asks for it. */
export class SharedGuests implements AsyncDisposable {
  readonly #fixture: DriverFixture
  readonly #places = new Map<GuestKind, Promise<Place>>()

  constructor(fixture: DriverFixture) {
    this.#fixture = fixture
  }

  /** Expects the scenario to leave the guest as it was; one that fails leaves it to nobody. */
  async play(kind: GuestKind, scenario: GuestScenario): Promise<void> {
    const opening = this.#places.get(kind) ?? this.#open(kind)
    this.#places.set(kind, opening)
    try {
      const { scene, domain } = await opening
      const before = await lookOf(domain)
      await scenario(domain, scene)
      expect(await lookOf(domain)).toEqual(before)
    } catch (error) {
      this.#places.delete(kind)
      await leave(opening)
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#places.values()]
    this.#places.clear()
    await Promise.all(all.map(leave))
  }

  async #open(kind: GuestKind): Promise<Place> {
    const scene = await Scene.open(await this.#fixture.world())
    try {
      return { scene, domain: await scene.running({ guest: kind, lasting: true }) }
    } catch (error) {
      await scene[Symbol.asyncDispose]()
      throw error
    }
  }
}

async function lookOf(domain: Domain): Promise<unknown> {
  return { id: await domain.id(), state: await domain.state(), xml: await domain.xml() }
}

/** What was never there has told why already. */
async function leave(opening: Promise<Place>): Promise<void> {
  const place = await opening.catch(() => undefined)
  await place?.scene[Symbol.asyncDispose]()
}
