import type { Domain, RoleName } from '@covirt/core'
import { expect } from '@jest/globals'
import type { Ability } from '../driver-fixture.js'
import type { Scene } from '../scene.js'
import type { Suite } from '../suite.js'

type Verb = (domain: Domain, scene: Scene) => Promise<unknown>

/** What changes a domain, by the driver's word for it. */
const verbs = {
  start: (domain) => domain.start(),
  create: (domain, { connection, world }) =>
    connection.domains.create(world.domainXml({ name: domain.name, uuid: domain.uuid })),
  shutdown: (domain) => domain.shutdown(),
  reboot: (domain) => domain.reboot(),
  destroy: (domain) => domain.destroy(),
  suspend: (domain) => domain.suspend(),
  resume: (domain) => domain.resume(),
  undefine: (domain) => domain.undefine(),
  'set autostart': (domain) => domain.setAutostart(true),
  rename: (domain) => domain.rename('renamed'),
} as const satisfies Readonly<Record<string, Verb>>

/** Roles that are about domains. */
type DomainRole = Exclude<RoleName, 'nativeConfig'>

/** What a role adds to them. */
const roleVerbs: Readonly<Record<DomainRole, Verb>> = {
  console: (domain) => domain.openConsole(),
  reset: (domain) => domain.reset(),
  guestAgent: (domain) => domain.agentCommand('{"execute":"guest-ping"}'),
  exec: (domain) => domain.exec(['true']),
  processes: (domain) => domain.listProcesses(),
  addresses: (domain) => domain.listInterfaceAddresses(),
  files: (domain) => domain.statFile('/'),
  snapshots: (domain) => domain.createSnapshot(),
  savedState: (domain) => domain.managedSave(),
  graphics: (domain) => domain.screenshot(),
  keyboard: (domain) => domain.sendKey([30]),
  nmi: (domain) => domain.injectNmi(),
  guestTime: (domain) => domain.getTime(),
  statistics: (domain) => domain.statistics(),
  tuning: (domain) => domain.getVcpus(),
  devices: (domain) => domain.attachDevice('<none/>', { config: true }),
}

const queries: Readonly<Record<string, Verb>> = {
  'get the XML': (domain) => domain.xml(),
  'get the state': (domain) => domain.state(),
  'get the info': (domain) => domain.info(),
  'ask for persistence': (domain) => domain.isPersistent(),
  'get autostart': (domain) => domain.getAutostart(),
}

interface Situation {
  readonly name: string
  readonly needs: readonly Ability[]
  enter(scene: Scene): Promise<Domain>
  readonly refused: readonly (keyof typeof verbs)[]
  readonly refusedRoles: readonly DomainRole[]
}

const situations: readonly Situation[] = [
  {
    name: 'off',
    needs: [],
    enter: (scene) => scene.define(),
    refused: ['shutdown', 'reboot', 'destroy', 'suspend', 'resume'],
    refusedRoles: [
      'console',
      'reset',
      'guestAgent',
      'exec',
      'processes',
      'addresses',
      'savedState',
      'graphics',
      'keyboard',
      'nmi',
      'guestTime',
      'statistics',
    ],
  },
  {
    name: 'running',
    needs: [],
    enter: (scene) => scene.running(),
    refused: ['start', 'create', 'rename'],
    refusedRoles: [],
  },
  {
    name: 'paused',
    needs: [],
    enter: (scene) => scene.paused(),
    refused: ['start', 'create', 'rename'],
    refusedRoles: ['guestAgent', 'exec', 'guestTime'],
  },
  {
    name: 'transient',
    needs: [],
    enter: (scene) => scene.create(),
    refused: ['start', 'create', 'undefine', 'set autostart', 'rename'],
    refusedRoles: ['snapshots'],
  },
  {
    name: 'crashed',
    needs: ['panic'],
    async enter(scene) {
      const domain = await scene.running({ elements: '<on_crash>preserve</on_crash>' })
      await scene.world.panic?.(domain)
      await scene.state(domain, 'crashed')
      return domain
    },
    refused: ['start', 'create', 'suspend', 'resume'],
    refusedRoles: ['guestAgent', 'exec', 'snapshots'],
  },
]

/** Which call is refused in which state; a refusal changes nothing and emits nothing. */
export function refusals({ fixture, test, needing }: Suite): void {
  for (const { name, needs, enter, refused, refusedRoles } of situations) {
    const calls: Record<string, Verb> = {}
    for (const verb of refused) calls[verb] = verbs[verb]
    for (const role of refusedRoles)
      if (fixture.roles.includes(role)) calls[`use the ${role} of`] = roleVerbs[role]
    needing(needs, `a domain that is ${name} refuses: ${Object.keys(calls).join(', ')}`, async (scene) => {
      const domain = await enter(scene)
      for (const call of Object.values(calls)) {
        await scene.refuses('OPERATION_INVALID', () => call(domain, scene))
      }
    })
  }

  const present = fixture.roles
    .filter((role) => role !== 'nativeConfig')
    .map((role) => [`use the ${role} of`, roleVerbs[role]] as const)
  const calls = Object.entries<Verb>({ ...verbs, ...queries }).filter(([name]) => name !== 'create')
  for (const [name, call] of [...calls, ...present]) {
    test(`to ${name} a domain that has gone is NO_DOMAIN`, async (scene) => {
      const domain = await scene.define()
      await domain.undefine()
      await scene.refuses('NO_DOMAIN', () => call(domain, scene))
    })
  }

  test('a refusal names the domain that it is about', async (scene) => {
    const domain = await scene.define()
    const error = await scene.refuses('OPERATION_INVALID', () => domain.destroy())
    expect(error.message).toContain(domain.name)
  })
}
