import { Connection, type Driver } from '@covirt/core'
import { describe, expect, test } from '@jest/globals'
import { testFixture } from '../../driver-test/test/test-fixture.js'
import { Scene } from '../src/scene.js'
import { type SubjectName, subjects } from '../src/subjects.js'

/** What a faulty driver does instead, given the sound one. */
type Fault = (driver: Driver) => Partial<Driver>

const fixture = testFixture({ virtual: true })

/** Drivers with one fault each, named for it, and the scenario that must find it. */
const faults: Readonly<
  Record<string, { readonly subject: SubjectName; readonly scenario: string; readonly fault: Fault }>
> = {
  forgetsAutostart: {
    subject: 'autostart',
    scenario: 'the mark is set and taken away again',
    fault: () => ({ setAutostart: async () => {} }),
  },
  tellsEventsLate: {
    subject: 'events',
    scenario: 'a whole life is told in order',
    fault: (driver) => ({
      subscribe: (listener) => driver.subscribe((event) => void setImmediate(listener, event)),
    }),
  },
  tellsEventsTwice: {
    subject: 'persistent life',
    scenario: 'start makes it running and active, and emits started/booted',
    fault: (driver) => ({
      subscribe: (listener) =>
        driver.subscribe((event) => {
          listener(event)
          listener(event)
        }),
    }),
  },
  ignoresSignals: {
    subject: 'cancellation',
    scenario: 'suspend with a signal that has fired does nothing',
    fault: (driver) => ({ suspendDomain: (domain) => driver.suspendDomain(domain) }),
  },
  cannotBeCancelledOnceStarted: {
    subject: 'cancellation',
    scenario: 'start cancelled while it is under way rejects and leaves no guest',
    fault: (driver) => ({ startDomain: (domain) => driver.startDomain(domain) }),
  },
  showsPasswords: {
    subject: 'documents',
    scenario: 'passwords are left out unless they are asked for',
    fault: (driver) => ({
      getDomainXml: (domain, options) => driver.getDomainXml(domain, { ...options, secure: true }),
    }),
  },
  losesComments: {
    subject: 'documents',
    scenario: 'foreign metadata comes back with every namespace, comment and character',
    fault: (driver) => ({
      getDomainXml: async (domain, options) =>
        (await driver.getDomainXml(domain, options)).replaceAll(/<!--.*?-->/g, ''),
    }),
  },
  listsEverything: {
    subject: 'lookup',
    scenario: 'lists are filtered by activity, persistence and autostart',
    fault: (driver) => ({ listDomains: () => driver.listDomains() }),
  },
  throwsPlainErrors: {
    subject: 'refusals',
    scenario: 'to destroy a domain that has gone is NO_DOMAIN',
    fault: (driver) => ({
      destroyDomain: (domain) =>
        driver.destroyDomain(domain).catch(() => {
          throw new Error('NO_DOMAIN')
        }),
    }),
  },
  changesThingsBeforeItRefuses: {
    subject: 'identity',
    scenario: 'define refuses a name that another domain has',
    fault: (driver) => ({
      async defineDomain(xml, options) {
        const [first] = await driver.listDomains()
        if (first) await driver.setAutostart(first, true)
        return driver.defineDomain(xml, options)
      },
    }),
  },
  stopsGuestsWhenItCloses: {
    subject: 'reopening',
    scenario: 'a guest that runs is found again, with its id and document',
    fault: (driver) => ({
      async close() {
        for (const domain of await driver.listDomains({ active: true })) await driver.destroyDomain(domain)
        await driver.close()
      },
    }),
  },
  claimsARoleThatItLacks: {
    subject: 'information',
    scenario: 'a driver says what kind it is, and has exactly the roles that it should have',
    fault: () => ({ reset: undefined }) as unknown as Partial<Driver>,
  },
}

describe('the suite finds a driver that', () => {
  for (const [name, { subject, scenario, fault }] of Object.entries(faults)) {
    test(name, async () => {
      await expect(play(subject, scenario, () => ({}))).resolves.toBeUndefined()
      await expect(play(subject, scenario, fault)).rejects.toThrow()
    })
  }
})

/** Runs one scenario on the test driver with this fault. */
async function play(subject: SubjectName, scenario: string, fault: Fault): Promise<void> {
  const world = await fixture.world()
  const open = async () => {
    const { driver } = await world.open()
    return new Connection(withFault(driver, fault(driver)))
  }
  await using scene = await Scene.open({ ...world, open })
  await scenarioOf(subject, scenario)(scene)
}

function scenarioOf(subject: SubjectName, title: string): (scene: Scene) => Promise<void> {
  const scenarios = new Map<string, (scene: Scene) => Promise<void>>()
  subjects[subject]({
    fixture,
    test: (name, scenario) => void scenarios.set(name, scenario),
    needing: (_abilities, name, scenario) => void scenarios.set(name, scenario),
    onOneGuest: (guest, name, scenario) =>
      void scenarios.set(name, async (scene) => scenario(await scene.running({ guest }), scene)),
  })
  const found = scenarios.get(title)
  if (!found) throw new Error(`The subject '${subject}' has no scenario '${title}'`)
  return found
}

function withFault(driver: Driver, fault: Partial<Driver>): Driver {
  return new Proxy(driver, {
    get(target, key) {
      if (key in fault) return Reflect.get(fault, key)
      const value: unknown = Reflect.get(target, key)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
