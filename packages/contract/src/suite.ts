import { describe, expect, test } from '@jest/globals'
import type { Ability, DriverFixture } from './driver-fixture.js'
import { Scene } from './scene.js'

/** A test of one promise. */
type Scenario = (scene: Scene) => Promise<void>

/** How a subject of the suite states its tests. */
export interface Suite {
  readonly fixture: DriverFixture
  /** A test that every driver takes. */
  test(name: string, scenario: Scenario): void
  /** A test that needs some abilities; where one is left out, a test by this name says so. */
  needing(abilities: Ability | readonly Ability[], name: string, scenario: Scenario): void
}

/** Long enough for a slow machine; the suite waits for events, so that it is never used up. */
const timeoutMs = 90_000

/** Runs the tests of `subjects` on `fixture`, each in a world of its own. */
export function runSubjects(
  name: string,
  fixture: DriverFixture,
  subjects: Readonly<Record<string, (suite: Suite) => void>>,
): void {
  const suite: Suite = {
    fixture,
    test(title, scenario) {
      const instead = fixture.notKept?.[title]
      if (instead === undefined) test(title, () => play(fixture, scenario), timeoutMs)
      else leftOut(title, instead)
    },
    needing(abilities, title, scenario) {
      const missing = [abilities].flat().find((ability) => fixture.leftOut[ability] !== undefined)
      if (missing === undefined) suite.test(title, scenario)
      else leftOut(title, fixture.leftOut[missing])
    },
  }
  describe(name, () => {
    for (const [subject, state] of Object.entries(subjects)) describe(subject, () => state(suite))
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
