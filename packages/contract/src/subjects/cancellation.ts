import { setImmediate } from 'node:timers/promises'
import type { CallOptions, Domain, RoleName, VirError } from '@covirt/core'
import { expect } from '@jest/globals'
import type { Scene } from '../scene.js'
import type { Suite } from '../suite.js'

type Call = (domain: Domain, options: CallOptions, scene: Scene) => Promise<unknown>

/** Calls on a domain, with the state in which they would succeed. */
const calls: Readonly<Record<string, { readonly on: 'off' | 'running' | 'paused'; readonly call: Call }>> = {
  start: { on: 'off', call: (domain, options) => domain.start(options) },
  undefine: { on: 'off', call: (domain, options) => domain.undefine(options) },
  'set autostart': { on: 'off', call: (domain, options) => domain.setAutostart(true, options) },
  rename: { on: 'off', call: (domain, options) => domain.rename('renamed', options) },
  define: {
    on: 'off',
    call: ({ name, uuid }, options, scene) =>
      scene.connection.domains.define(scene.xml({ name, uuid, elements: '<title>new</title>' }), options),
  },
  create: { on: 'off', call: (_, options, scene) => scene.create({}, options) },
  shutdown: { on: 'running', call: (domain, options) => domain.shutdown(options) },
  reboot: { on: 'running', call: (domain, options) => domain.reboot(options) },
  destroy: { on: 'running', call: (domain, options) => domain.destroy(options) },
  suspend: { on: 'running', call: (domain, options) => domain.suspend(options) },
  resume: { on: 'paused', call: (domain, options) => domain.resume(options) },
}

const roleCalls: Readonly<Record<RoleName, Call>> = {
  console: (domain, options) => domain.openConsole(options),
  reset: (domain, options) => domain.reset(options),
  guestAgent: (domain, options) => domain.agentCommand('{"execute":"guest-ping"}', options),
  exec: (domain, options) => domain.exec(['true'], options),
  processes: (domain, options) => domain.listProcesses(options),
  addresses: (domain, options) => domain.listInterfaceAddresses(options),
  files: (domain, options) => domain.statFile('/', options),
  snapshots: (domain, options) => domain.createSnapshot(undefined, options),
  savedState: (domain, options) => domain.managedSave(options),
  graphics: (domain, options) => domain.screenshot(options),
  keyboard: (domain, options) => domain.sendKey([30], options),
  nmi: (domain, options) => domain.injectNmi(options),
  guestTime: (domain, options) => domain.getTime(options),
  statistics: (domain, options) => domain.statistics(options),
  devices: (domain, options) => domain.attachDevice('<none/>', options),
  tuning: (domain, options) => domain.getVcpus(options),
  nativeConfig: (_, options, { connection }) => connection.domainXmlFromNative('none', '', options),
}

const queries: Readonly<Record<string, Call>> = {
  'get the XML': (domain, options) => domain.xml(options),
  'get the state': (domain, options) => domain.state(options),
  'get the info': (domain, options) => domain.info(options),
  'ask for persistence': (domain, options) => domain.isPersistent(options),
  'get autostart': (domain, options) => domain.getAutostart(options),
  'list domains': (_, options, { connection }) => connection.domains.list({}, options),
  'list statistics': (_, options, { connection }) => connection.domains.stats({}, options),
  'look up by name': ({ name }, options, { connection }) => connection.domains.lookupByName(name, options),
  'get capabilities': (_, options, { connection }) => connection.capabilities(options),
  'get domain capabilities': (_, options, { connection }) => connection.domainCapabilities({}, options),
  'get the host name': (_, options, { connection }) => connection.hostname(options),
  'get the node info': (_, options, { connection }) => connection.nodeInfo(options),
  'get the version': (_, options, { connection }) => connection.version(options),
}

const enter = {
  off: (scene: Scene) => scene.define(),
  running: (scene: Scene) => scene.running(),
  paused: (scene: Scene) => scene.paused(),
}

/** Every call takes a signal. */
export function cancellation({ fixture, test, needing, onOneGuest }: Suite): void {
  for (const [name, { on, call }] of Object.entries(calls)) {
    const fired = async (domain: Domain, scene: Scene) => {
      const signal = AbortSignal.abort(new Error('no more'))
      const error = await scene.refuses('OPERATION_ABORTED', () => call(domain, { signal }, scene))
      expect(error).toMatchObject({ name: 'AbortError', cause: signal.reason })
    }
    const title = `${name} with a signal that has fired does nothing`
    if (on === 'running') onOneGuest('plain', title, fired)
    else test(title, async (scene) => fired(await enter[on](scene), scene))

    test(`${name} cancelled while it is under way is undone or has been done, never half`, async (scene) => {
      const domain = await enter[on](scene)
      const before = await scene.snapshot()
      scene.events.clear()
      const controller = new AbortController()
      const result = call(domain, { signal: controller.signal }, scene)
      controller.abort()
      const [settled] = await Promise.allSettled([result])
      if (settled.status === 'fulfilled') return
      expect(settled.reason.code).toBe('OPERATION_ABORTED')
      expect(scene.events.names()).toEqual([])
      expect(await scene.snapshot()).toEqual(before)
    })
  }

  for (const name of ['start', 'create'] as const) {
    test(`${name} cancelled while it is under way rejects and leaves no guest`, async (scene) => {
      const domain = await scene.define()
      const controller = new AbortController()
      const starting = calls[name]?.call(domain, { signal: controller.signal }, scene)
      controller.abort()
      await expect(starting).rejects.toMatchObject({ code: 'OPERATION_ABORTED' })
      expect(await scene.connection.domains.list({ active: true })).toEqual([])
      await domain.start()
      expect(await domain.isActive()).toBe(true)
    })
  }

  test('a start cancelled at any moment leaves either a running guest or none', async (scene) => {
    const domain = await scene.define()
    for (const moment of moments) {
      scene.events.clear()
      const controller = new AbortController()
      const starting = settled(domain.start({ signal: controller.signal }))
      await moment()
      controller.abort()
      const error = await starting
      expect(error?.code).toBe(error && 'OPERATION_ABORTED')
      expect(scene.events.names()).toEqual(error ? [] : ['started/booted'])
      expect(await domain.isActive()).toBe(!error)
      if (!error) await domain.destroy()
    }
  })

  for (const role of fixture.roles) {
    onOneGuest('plain', `the ${role} with a signal that has fired does nothing`, async (domain, scene) => {
      const signal = AbortSignal.abort()
      await scene.refuses('OPERATION_ABORTED', () => roleCalls[role](domain, { signal }, scene))
    })
  }

  for (const [name, call] of Object.entries(queries)) {
    test(`to ${name} with a signal that has fired is refused`, async (scene) => {
      const domain = await scene.define()
      const signal = AbortSignal.abort()
      await scene.refuses('OPERATION_ABORTED', () => call(domain, { signal }, scene))
    })
  }

  test('a call that waits for its turn is cancelled without waiting on', async (scene) => {
    const domain = await scene.define()
    const controller = new AbortController()
    const starting = domain.start()
    const waiting = domain.suspend({ signal: controller.signal })
    controller.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'OPERATION_ABORTED' })
    await starting
    expect(await domain.state()).toEqual({ state: 'running', reason: 'booted' })
  })

  needing('slow', 'a start that takes its time is cancelled at once', async (scene) => {
    const domain = await scene.define({ guest: 'slow' })
    const controller = new AbortController()
    const starting = domain.start({ signal: controller.signal })
    await domain.state()
    controller.abort()
    await expect(starting).rejects.toMatchObject({ code: 'OPERATION_ABORTED' })
    expect(await domain.state()).toMatchObject({ state: 'shutoff' })
  })

  test('a signal that fires afterwards does nothing', async (scene) => {
    const controller = new AbortController()
    const { signal } = controller
    const { domains } = scene.connection
    const domain = await domains.define(scene.xml(), { signal })
    await domain.start({ signal })
    await domain.setAutostart(true, { signal })
    await domain.suspend({ signal })
    const before = await scene.snapshot()
    scene.events.clear()
    controller.abort()
    expect(await scene.snapshot()).toEqual(before)
    expect(scene.events.names()).toEqual([])
  })

  test('a shutdown that has been asked for is not taken back when its signal fires', async (scene) => {
    const controller = new AbortController()
    const domain = await scene.running()
    await domain.shutdown({ signal: controller.signal })
    controller.abort()
    expect(await scene.state(domain, 'shutoff')).toEqual({ state: 'shutoff', reason: 'shutdown' })
  })

  test('opening with a signal that has fired is refused', async (scene) => {
    const opening = scene.world.open({ signal: AbortSignal.abort() })
    await expect(opening).rejects.toMatchObject({ code: 'OPERATION_ABORTED' })
    await scene.reopen()
    expect(await scene.connection.domains.list()).toEqual([])
  })
}

/** Later and later: in this turn of the event loop, then in some of the next. */
const moments: readonly (() => Promise<void>)[] = [
  ...Array.from({ length: 16 }, (_, count) => () => repeat(count, () => Promise.resolve())),
  ...[1, 3, 10, 30, 100].map((count) => () => repeat(count, () => setImmediate())),
]

async function repeat(count: number, wait: () => Promise<void>): Promise<void> {
  for (let turn = 0; turn < count; turn++) await wait()
}

/** What the call rejected with; `undefined` where it resolved. */
function settled(promise: Promise<unknown>): Promise<VirError | undefined> {
  return promise.then(
    () => undefined,
    (error) => error,
  )
}
