import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Ability, DomainSpec, DriverFixture, DriverWorld } from '@covirt/contract'
import {
  addressSources,
  Connection,
  type Domain,
  FakeClock,
  formatConnectUri,
  parseConnectUri,
  roleNames,
} from '@covirt/core'
import { type GuestBehaviour, type TestDriver, testProvider } from '../src/index.js'
import { testWorld } from '../src/test-world.js'

const kinds: Readonly<Partial<Record<string, Partial<GuestBehaviour>>>> = {
  deaf: { ignoreShutdowns: Infinity },
  inattentive: { ignoreShutdowns: 1 },
  broken: { failStarts: 1 },
  slow: { startDelayMs: 5000 },
  stuck: { startDelayMs: Infinity },
}

/** The test driver as the suite sees it; with `virtual`, in virtual time. */
export function testFixture({ virtual }: { readonly virtual: boolean }): DriverFixture {
  const leftOut: Partial<Record<Ability, string>> = virtual ? {} : { advance: 'time is real here' }
  return {
    type: 'TEST',
    roles: roleNames,
    addressSources,
    shutdownModes: ['acpi', 'agent'],
    leftOut,
    world: async () => makeWorld(virtual ? new FakeClock() : undefined),
  }
}

let worlds = 0

function makeWorld(clock: FakeClock | undefined): DriverWorld {
  const uri = parseConnectUri(`test:///empty?root=contract-${++worlds}`)
  const directory = mkdtempSync(join(tmpdir(), 'cv-test-'))
  const machineOf = (uuid: string) => {
    const machine = testWorld(formatConnectUri(uri)).machines.get(uuid)
    if (!machine) throw new Error(`no machine ${uuid} runs`)
    return machine
  }
  const withAgent = new Set<string>()
  let names = 0
  let driver: TestDriver | undefined
  const controls = () => {
    if (!driver) throw new Error('the world has not been opened')
    return driver.controls
  }
  return {
    async open(options) {
      driver = await testProvider.open(uri, { ...options, ...(clock && { clock }) })
      return new Connection(driver)
    },
    uniqueName: (prefix) => `${prefix}-${++names}`,
    domainXml(spec) {
      const behaviour = kinds[spec.guest ?? 'plain']
      if (behaviour) controls().behave(spec.name, behaviour)
      if (spec.guest === 'agent') withAgent.add(spec.name)
      return domainXml(spec)
    },
    ready: async (domain) => {
      if (withAgent.has(domain.name)) await agentOf(domain)
    },
    ...(clock && { advance: (ms: number) => clock.advance(ms) }),
    kill: async ({ name }: Domain) => controls().crash(name),
    panic: async ({ name }: Domain) => controls().panic(name),
    powerOff: async ({ name }: Domain) => controls().powerOff(name),
    restart: async ({ name }: Domain) => controls().reboot(name),
    storage: {
      write: async ({ name }: Domain, text: string) => controls().writeDisk(name, text),
      read: async ({ name }: Domain) => controls().readDisk(name),
    },
    memory: {
      put: async ({ uuid }) => {
        machineOf(uuid).note = 'remembered'
      },
      has: async ({ uuid }) => machineOf(uuid).note === 'remembered',
    },
    filePath: (name) => join(directory, name),
    dialogue: { say: 'hello', hear: 'hello' },
    spareDevice: {
      xml: "<disk type='file' device='cdrom'><source file='/a.iso'/><target dev='sdz' bus='sata'/></disk>",
      word: "dev='sdz'",
      changed:
        "<disk type='file' device='cdrom'><source file='/b.iso'/><target dev='sdz' bus='sata'/></disk>",
      changedWord: '/b.iso',
    },
    async [Symbol.asyncDispose]() {
      await rm(directory, { recursive: true })
      const left = [...testWorld(formatConnectUri(uri)).machines.keys()]
      if (left.length > 0) throw new Error(`guests were left running: ${left.join(', ')}`)
    },
  }
}

function domainXml({ name, uuid, memoryKib = 1024, elements = '', guest, password }: DomainSpec): string {
  const agent = `<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>`
  return `<domain type='test'>
  <name>${name}</name>${uuid ? `\n  <uuid>${uuid}</uuid>` : ''}
  ${elements}
  <memory unit='KiB'>${memoryKib}</memory>
  <vcpu>1</vcpu>
  <os><type>hvm</type></os>
  <devices>
    ${guest === 'agent' ? agent : ''}
    ${guest === 'screen' ? "<graphics type='vnc'/>" : ''}
    ${password ? `<graphics type='vnc' passwd='${password}'/>` : ''}
  </devices>
</domain>
`
}

/** Resolves once the agent answers. */
async function agentOf(domain: Domain): Promise<void> {
  const connected = new Promise<void>((resolve) => {
    const unsubscribe = domain.subscribe((event) => {
      if (event.type !== 'agent' || event.state !== 'connected') return
      unsubscribe()
      resolve()
    })
  })
  const answers = await domain.agentCommand('{"execute":"guest-ping"}').then(
    () => true,
    () => false,
  )
  if (!answers) await connected
}
