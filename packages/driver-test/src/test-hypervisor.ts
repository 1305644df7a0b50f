import {
  type CallOptions,
  type Clock,
  checkGuestPath,
  type DomainRef,
  type DriverRoles,
  type FilesRole,
  type OptionalRoles,
  systemClock,
  throwIfAborted,
  VirError,
} from '@covirt/core'
import {
  type AdoptSpec,
  agentTime,
  controlGroupTuning,
  type Guest,
  type GuestAccess,
  type Hypervisor,
  type LaunchSpec,
  nativeConfigRole,
  type StorageSnapshots,
} from '@covirt/local'
import { type DomainXml, formatCapabilities, formatDomain, parseDomain } from '@covirt/xml'
import { parseCommand } from './agent.js'
import { Machine } from './machine.js'
import { readMemory } from './machine-memory.js'
import { checkLine, liveDocument, preparedDocument } from './test-documents.js'
import type { TestFiles } from './test-files.js'
import { TestGuest } from './test-guest.js'
import { interfacesOf } from './test-network.js'
import { testNode } from './test-node.js'
import { deviceRoles } from './test-roles.js'
import type { TestWorld } from './test-world.js'

/** Runs simulated guests in memory. */
export class TestHypervisor implements Hypervisor {
  readonly type = 'TEST'
  readonly errorDomain = 'TEST'
  readonly domainTypes = ['test']
  readonly versions = {}
  readonly savesGuests = true
  readonly tuning = controlGroupTuning
  readonly #world: TestWorld
  readonly #clock: Clock

  constructor(world: TestWorld, clock: Clock = systemClock) {
    this.#world = world
    this.#clock = clock
  }

  async getCapabilities(): Promise<string> {
    return capabilities
  }

  prepare(document: DomainXml): DomainXml {
    return preparedDocument(document)
  }

  async launch(spec: LaunchSpec, { signal }: CallOptions): Promise<Guest> {
    const { clock, document, paused, sink } = spec
    const { name, uuid } = spec.domain
    const { startDelayMs } = this.#world.behaviourOf(name)
    if (startDelayMs > 0) await clock.sleep(startDelayMs, { signal })
    throwIfAborted(signal)
    if (this.#world.machines.has(uuid)) {
      throw new VirError('INTERNAL_ERROR', `A guest of domain '${name}' is left over and still runs`, {
        domain: 'TEST',
      })
    }
    if (this.#world.spend(name, 'failStarts')) {
      throw new VirError('OPERATION_FAILED', `Domain '${name}' was told to fail its start`, {
        domain: 'TEST',
      })
    }
    const memory = spec.state && (await readMemory(spec.state))
    throwIfAborted(signal)
    const machine = new Machine(
      {
        document: liveDocument(document),
        clock,
        behaviour: () => this.#world.behaviourOf(name),
        spend: (what) => this.#world.spend(name, what),
        program: (program) => this.#world.programOf(name, program),
        onOff: () => this.#world.machines.delete(uuid),
      },
      { paused, memory },
    )
    this.#world.machines.set(uuid, machine)
    return new TestGuest(machine, sink, clock)
  }

  async adopt({ domain, sink, clock }: AdoptSpec): Promise<Guest | undefined> {
    const machine = this.#world.machines.get(domain.uuid)
    if (machine && this.#world.spend(domain.name, 'failAdoptions')) {
      throw new VirError('OPERATION_TIMEOUT', `The guest of '${domain.name}' does not answer`, {
        domain: 'TEST',
      })
    }
    return machine && new TestGuest(machine, sink, clock)
  }

  async kill({ domain }: AdoptSpec): Promise<void> {
    this.#world.machines.get(domain.uuid)?.powerOff({ kind: 'killed' })
  }

  readonly snapshots: StorageSnapshots = {
    savesMemory: true,
    take: async ({ domain, snapshot }) => {
      this.#world.snapshots.set(`${domain.uuid} ${snapshot}`, this.#world.disks.get(domain.name))
    },
    restore: async ({ domain, snapshot }) => {
      const disk = this.#world.snapshots.get(`${domain.uuid} ${snapshot}`)
      if (disk === undefined) this.#world.disks.delete(domain.name)
      else this.#world.disks.set(domain.name, disk)
    },
    remove: async ({ domain, snapshot }) => {
      this.#world.snapshots.delete(`${domain.uuid} ${snapshot}`)
    },
  }

  roles(access: GuestAccess): OptionalRoles {
    const guestAgent: DriverRoles['guestAgent'] = {
      agentCommand: (domain, command, options) =>
        access.query(domain, options, async (guest) => {
          parseCommand(command)
          requireRunning(domain, guest)
          return testGuest(guest).askAgent(command)
        }),
    }
    return {
      console: {
        openConsole: (domain, options = {}) =>
          access.query(domain, options, async (guest) => {
            checkLine(guest.document, options.device)
            return testGuest(guest).machine.serial.open(domain.name, options)
          }),
      },
      reset: {
        resetDomain: (domain, options) =>
          access.job(domain, 'reset', options, async (guest) => testGuest(guest).machine.reset()),
      },
      guestAgent,
      guestTime: agentTime(guestAgent),
      ...deviceRoles(access),
      processes: {
        listProcesses: (domain, options) =>
          access.query(domain, options, async (guest) => testGuest(guest).machine.processes()),
      },
      addresses: {
        listInterfaceAddresses: (domain, options = {}) =>
          access.query(domain, options, async (guest) => interfacesOf(testGuest(guest).machine, options)),
      },
      files: this.#filesRole(access),
      // Guests in memory are configured by nothing but their documents.
      nativeConfig: nativeConfigRole(this, {
        'test-guest': { toNative: formatDomain, fromNative: (config) => formatDomain(parseDomain(config)) },
      }),
      exec: {
        exec: (domain, argv, options = {}) =>
          access.query(domain, options, async (guest) => {
            requireRunning(domain, guest)
            return testGuest(guest).exec(argv, options)
          }),
      },
    }
  }

  #filesRole(access: GuestAccess): FilesRole {
    const look = <T>(
      domain: DomainRef,
      options: CallOptions | undefined,
      path: string,
      act: (files: TestFiles) => T | Promise<T>,
    ) =>
      access.look(domain, options, async (found) => {
        checkGuestPath(path, options)
        return act(this.#world.filesOf(found.domain.uuid, this.#clock))
      })
    return {
      readFile: (domain, path, options = {}) =>
        look(domain, options, path, (files) => files.read(path, options)),
      writeFile: (domain, path, content, options = {}) =>
        look(domain, options, path, (files) => files.write(path, content, options)),
      statFile: (domain, path, options) => look(domain, options, path, (files) => files.stat(path)),
      listDirectory: (domain, path, options) => look(domain, options, path, (files) => files.list(path)),
      makeDirectory: (domain, path, options = {}) =>
        look(domain, options, path, (files) => files.makeDirectory(path, options)),
      removeFile: (domain, path, options = {}) =>
        look(domain, options, path, (files) => files.remove(path, options.recursive ?? false)),
    }
  }

  async close(): Promise<void> {}
}

const capabilities = formatCapabilities({
  host: { cpu: { arch: testNode.model } },
  guests: [
    { osType: 'hvm', arch: { name: testNode.model, wordSize: 32, domains: [{ type: 'test' }] } },
    { osType: 'exe', arch: { name: testNode.model, wordSize: 32, domains: [{ type: 'test' }] } },
  ],
})

function requireRunning({ name }: DomainRef, { phase }: Guest): void {
  if (phase === 'running') return
  throw new VirError('OPERATION_INVALID', `Domain '${name}' is ${phase}, and runs nothing`, {
    domain: 'TEST',
  })
}

function testGuest(guest: Guest): TestGuest {
  if (!(guest instanceof TestGuest)) throw new TypeError('not a guest of the test driver')
  return guest
}
