import type { Clock } from '@covirt/core'
import { MemoryPlaces, MemoryStore } from '@covirt/local'
import { type GuestBehaviour, goodBehaviour } from './behaviour.js'
import type { Machine } from './machine.js'
import { TestFiles } from './test-files.js'
import { ownPrograms, type TestProgram } from './test-program.js'

/**
 * What is there whether or not a driver looks: the machines that run, the definitions that are stored, and how
 * guests are told to behave. It lives as long as the process.
 */
export class TestWorld {
  readonly store = new MemoryStore()
  readonly places = new MemoryPlaces()
  /** Those that run, by the uuid of their domain. */
  readonly machines = new Map<string, Machine>()
  /** What is on the disks of domains, by their names. */
  readonly disks = new Map<string, string>()
  /** Disks as they were, by uuid and name of the snapshot. */
  readonly snapshots = new Map<string, string | undefined>()
  /** Whether the domains that it begins with have been made. */
  furnished = false
  readonly #files = new Map<string, TestFiles>()
  readonly #programs = new Map<string, Map<string, TestProgram>>()
  readonly #behaviours = new Map<string, GuestBehaviour>()

  behaviourOf(name: string): GuestBehaviour {
    return this.#behaviours.get(name) ?? goodBehaviour
  }

  behave(name: string, change: Partial<GuestBehaviour>): void {
    this.#behaviours.set(name, { ...this.behaviourOf(name), ...change })
  }

  /** Those of the domain with this uuid. */
  filesOf(uuid: string, clock: Clock): TestFiles {
    const files = this.#files.get(uuid) ?? new TestFiles(clock)
    this.#files.set(uuid, files)
    return files
  }

  /** What the domain's guests run by the name `program`, which may be a path. */
  programOf(name: string, program: string): TestProgram | undefined {
    return this.#programs.get(name)?.get(program) ?? ownPrograms.get(program.replace(/^\/(usr\/)?bin\//, ''))
  }

  install(name: string, program: string, run: TestProgram): void {
    const programs = this.#programs.get(name) ?? new Map()
    this.#programs.set(name, programs.set(program, run))
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
