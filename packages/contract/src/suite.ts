import { afterAll, describe, expect, test } from '@jest/globals'
import type { Ability, DriverFixture, GuestKind } from './driver-fixture.js'
import { Scene } from './scene.js'
import { type GuestScenario, SharedGuests } from './shared-guests.js'

/** A test of one promise. */
type Scenario = (scene: Scene) => Promise<void>

/** How a subject of the suite states its tests. */
export interface Suite {
  readonly fixture: DriverFixture
  /** A test that every driver takes. */
  test(name: string, scenario: Scenario): void
  /** A test that needs some abilities; where one is left out, a test by this name says so. */
  needing(abilities: Ability | readonly Ability[], name: string, scenario: Scenario): void
  /**
   * A test of a ready guest of this kind that leaves it as it was. All such tests play on the same guest, one after the
   * other: only the first waits for its start. Where there is one world at a time, each has its own.
   */
  onOneGuest(kind: GuestKind, name: string, scenario: GuestScenario): void
}

/**
 * Long enough for a slow machine, on which an emulated system may take half a minute to come up; the suite waits for
 * events, so that it is never used up. COVIRT_TIME_FACTOR says that a host is so many times slower than others.
 */
const timeoutMs = 90_000 * Number(process.env.COVIRT_TIME_FACTOR ?? 1)

/** Runs the tests of `subjects` on `fixture`, each in a world of its own, but for those that share a guest. */
export function runSubjects(
  name: string,
  fixture: DriverFixture,
  subjects: Readonly<Record<string, (suite: Suite) => void>>,
): void {
  const guests = new SharedGuests(fixture)
  const state = (abilities: readonly Ability[], title: string, run: () => Promise<void>) => {
    const missing = abilities.find((ability) => fixture.leftOut[ability] !== undefined)
    const instead = fixture.notKept?.[title]
    if (missing !== undefined) leftOut(title, fixture.leftOut[missing])
    else if (instead !== undefined) leftOut(title, instead)
    else test(title, run, timeoutMs)
  }
  const suite: Suite = {
    fixture,
    test: (title, scenario) => state([], title, () => play(fixture, scenario)),
    needing: (abilities, title, scenario) => state([abilities].flat(), title, () => play(fixture, scenario)),
    onOneGuest: (kind, title, scenario) =>
      state(kind === 'plain' ? [] : [kind], title, async () => {
        await guests.play(kind, scenario)
        if (fixture.oneWorldAtATime) await guests[Symbol.asyncDispose]()
      }),
  }
  describe(name, () => {
    afterAll(() => guests[Symbol.asyncDispose](), timeoutMs)
    for (const [subject, tests] of Object.entries(subjects)) describe(subject, () => tests(suite))
  })
}

async function play(fixture: DriverFixture, scenario: Scenario): Promise<void> {
  await using scene = await Scene.open(await fixture.world())
  await scenario(scene)
}

function leftOut(title: string, reason: string | undefined): void {
  test(`${title} (left out: ${reason})`, () => {
    expect(reason).toMatch(/\w/)
  })
}
