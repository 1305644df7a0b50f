import { MemoryStore } from '@covirt/local'
import { type GuestBehaviour, goodBehaviour } from './behaviour.js'
import type { Machine } from './machine.js'

/**
 * What is there whether or not a driver looks: the machines that run, the definitions that are stored, and how
 * guests are told to behave. It lives as long as the process.
 */
export class TestWorld {
  readonly store = new MemoryStore()
  /** Those that run, by the uuid of their domain. */
  readonly machines = new Map<string, Machine>()
  /** Whether the domains that it begins with have been made. */
  furnished = false
  readonly #behaviours = new Map<string, GuestBehaviour>()

  behaviourOf(name: string): GuestBehaviour {
    return this.#behaviours.get(name) ?? goodBehaviour
  }

  behave(name: string, change: Partial<GuestBehaviour>): void {
    this.#behaviours.set(name, { ...this.behaviourOf(name), ...change })
  }

  /** Counts one of those that are to fail or to be ignored; `false` where none is. */
  spend(name: string, what: 'failStarts' | 'ignoreShutdowns' | 'ignoreReboots' | 'failAdoptions'): boolean {
    const left = this.behaviourOf(name)[what]
    if (left <= 0) return false
    this.behave(name, { [what]: left - 1 })
    return true
  }
}

const worlds = new Map<string, TestWorld>()

/** The world of this name in this process. */
export function testWorld(name: string): TestWorld {
  const known = worlds.get(name)
  if (known) return known
  const world = new TestWorld()
  worlds.set(name, world)
  return world
}
