import { VirError } from '@covirt/core'
import type { GuestBehaviour } from './behaviour.js'
import type { Machine } from './machine.js'
import type { TestProgram } from './test-program.js'
import type { TestWorld } from './test-world.js'

/**
 * What happens to test guests and by themselves: all that a program which uses covirt has to live with, on
 * demand. Domains are meant by name. Methods that need a guest throw `OPERATION_INVALID` where none runs;
 * what they do is seen through events, as with any driver.
 */
export class TestControls {
  readonly #world: TestWorld

  constructor(world: TestWorld) {
    this.#world = world
  }

  /** Changes how the domain's guests behave from now on. The domain need not exist yet. */
  behave(domain: string, change: Partial<GuestBehaviour>): void {
    this.#world.behave(domain, change)
  }

  /** How the domain's guests behave now, with what is left of its counts. */
  behaviourOf(domain: string): GuestBehaviour {
    return this.#world.behaviourOf(domain)
  }

  /**
   * Gives the domain's guests a program, which role `exec` runs by this name from now on. Any of them have `true`,
   * `false`, `echo`, `cat`, `env`, `pwd`, `id`, `tty`, `yes` and `sleep`. The domain need not exist yet.
   */
  install(domain: string, name: string, program: TestProgram): void {
    this.#world.install(domain, name, program)
  }

  /** Writes on the domain's disk, in place of what was on it. */
  writeDisk(domain: string, text: string): void {
    this.#world.disks.set(domain, text)
  }

  /** What is on the domain's disk; empty to begin with. */
  readDisk(domain: string): string {
    return this.#world.disks.get(domain) ?? ''
  }

  /** The guest's process dies. */
  crash(domain: string, message = 'killed by a test'): void {
    this.#machine(domain).powerOff({ kind: 'crashed', message })
  }

  /** The guest's system gives up; `<on_crash>` decides what follows. */
  panic(domain: string): void {
    this.#machine(domain).panic()
  }

  /** The guest takes notice of nothing any more, until it is reset or destroyed. */
  hang(domain: string): void {
    this.#machine(domain).hang()
  }

  /** The guest switches itself off. */
  powerOff(domain: string): void {
    this.#machine(domain).powerOff({ kind: 'shutdown' })
  }

  /** The guest restarts by itself. */
  reboot(domain: string): void {
    this.#machine(domain).reset()
  }

  /** The agent inside the guest comes, whether or not the domain has a channel for it. */
  connectAgent(domain: string): void {
    this.#machine(domain).setAgent(true)
  }

  /** The agent inside the guest goes. */
  disconnectAgent(domain: string): void {
    this.#machine(domain).setAgent(false)
  }

  /** What was typed on the guest's keyboard, as it was pressed together. */
  keysPressed(domain: string): readonly (readonly number[])[] {
    return this.#machine(domain).keysPressed
  }

  /** The guest writes to its console. */
  print(domain: string, text: string): void {
    this.#machine(domain).serial.print(text)
  }

  #machine(domain: string): Machine {
    for (const machine of this.#world.machines.values()) if (machine.document.name === domain) return machine
    throw new VirError('OPERATION_INVALID', `No guest of domain '${domain}' is running`, { domain: 'TEST' })
  }
}
