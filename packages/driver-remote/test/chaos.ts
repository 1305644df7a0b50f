import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { createServer, type Server as NetServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Connection, type DomainStateName, isVirError, parseConnectUri } from '@covirt/core'
import { type TestDriver, testProvider } from '@covirt/driver-test'
import { Server } from '@covirt/server'
import { patience } from '../../../test/fixtures/index.js'
import { tempRoot, uniqueName } from '../../../test/fixtures/temp-root.js'
import { remoteProvider } from '../src/index.js'
import { EventView, storyLine, wrongIn } from './event-view.js'
import { faultyProxy } from './faulty-proxy.js'

/** How a client is put to the test. */
export interface ChaosOptions {
  readonly cycles: number
  readonly guests: number
  readonly seed: number
  readonly onCycle?: (cycle: number, fault: string) => void
}

/** What it had to go through. */
export interface ChaosReport {
  readonly cycles: number
  readonly transitions: number
  readonly told: number
  readonly resyncs: number
  readonly faults: Readonly<Record<string, number>>
}

const faults = ['cut', 'kill', 'stall', 'sleep', 'swallow'] as const

/**
 * Guests that come and go by themselves, behind a server behind a network, all of which fail in turn: after each
 * failure the client's view must be the truth, and what it was told the whole story but where a `resync` stands.
 */
export async function chaos({ cycles, guests, seed, onCycle }: ChaosOptions): Promise<ChaosReport> {
  const random = randomNumbers(seed)
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T
  await using root = await tempRoot()
  const uri = parseConnectUri(`test:///empty?root=${uniqueName('chaos')}`)
  const truth = await testProvider.open(uri)
  const story: string[] = []
  const states = new Map<string, DomainStateName>()
  const domains = await Promise.all(
    Array.from({ length: guests }, (_, index) =>
      truth.defineDomain(
        `<domain type='test'><name>g${index}</name><memory>1024</memory><os><type>hvm</type></os></domain>`,
      ),
    ),
  )
  const daemon = new Daemon(root.join('daemon'), () => testProvider.open(uri))
  await daemon.start()
  await using proxy = await faultyProxy(root.join('proxy'), root.join('daemon'))
  const query = `socket=${proxy.socket}&keepalive_interval=1&keepalive_count=1`
  const driver = await remoteProvider.open(parseConnectUri(`test+unix:///empty?${query}`))
  const connection = new Connection(driver)
  const stopListening = truth.subscribe((event) => {
    if (event.type !== 'resync') story.push(storyLine(event))
  })
  const view = new EventView(connection)
  for (const { domain, state } of await connection.domains.stats()) view.states.set(domain.uuid, state.state)
  const events = connection.events({ limit: 200 })
  let awake: Promise<void> = Promise.resolve()
  const reading = (async () => {
    for await (const event of events) {
      await awake
      view.take(event)
    }
  })()

  const count: Record<string, number> = {}
  for (let cycle = 0; cycle < cycles; cycle++) {
    const fault = cycle % 40 === 20 ? 'swallow' : pick(faults.slice(0, 4))
    count[fault] = (count[fault] ?? 0) + 1
    onCycle?.(cycle, fault)
    const flapping = flap(
      truth,
      domains.map(({ name }) => name),
      random,
      60,
    )
    await sleep(random() * 10)
    if (fault === 'cut') proxy.cut()
    if (fault === 'kill') await daemon.restart()
    if (fault === 'stall') proxy.stall()
    if (fault === 'swallow') proxy.swallow()
    if (fault === 'sleep') awake = sleep(20 + random() * 30)
    if (fault === 'swallow') await away(driver)
    await flapping
    proxy.heal()
    // One more transition, so that there is a last thing to be told.
    await flap(truth, [pick(domains).name], random, 1)
    for (const { domain, state } of await truth.getAllDomainStats()) states.set(domain.uuid, state.state)
    await until(
      async () => {
        await connection.domains.list()
        await view.settled()
        return same(view.states, states)
      },
      () => `Cycle ${cycle} (${fault}): the view is not the truth: ${difference(view.states, states)}`,
    )
  }
  await until(
    async () => wrongIn(view.story, story) === undefined,
    () => wrongIn(view.story, story) ?? 'late',
  )
  events.end()
  await reading
  await connection.close()
  await daemon.stop()
  stopListening()
  for (const { domain, state } of await truth.getAllDomainStats())
    if (state.state !== 'shutoff') await truth.destroyDomain(domain)
  await truth.close()
  const told = view.story.length - view.resyncs
  return { cycles, transitions: story.length, told, resyncs: view.resyncs, faults: count }
}

/** A server that can be ended and started again at the same place; guests are not its own. */
class Daemon {
  readonly #socket: string
  readonly #open: () => Promise<TestDriver>
  #server: Server | undefined
  #listener: NetServer | undefined
  readonly #sockets = new Set<Socket>()

  constructor(socket: string, open: () => Promise<TestDriver>) {
    this.#socket = socket
    this.#open = open
  }

  async start(): Promise<void> {
    await rm(this.#socket, { force: true })
    const server = new Server({ open: this.#open, limits: { unreadBytes: 65_536 } })
    this.#server = server
    this.#listener = createServer((socket) => {
      this.#sockets.add(socket)
      socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket))
      server.accept(socket, { name: 'chaos', transport: 'unix' })
    })
    this.#listener.listen(this.#socket)
    await once(this.#listener, 'listening')
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#listener?.close()
    await this.#server?.close()
  }

  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }
}

/** Guests start and end, are paused, die and restart. */
async function flap(
  driver: TestDriver,
  names: readonly string[],
  random: () => number,
  times: number,
): Promise<void> {
  for (let time = 0; time < times; time++) {
    const name = names[Math.floor(random() * names.length)] as string
    await flapOnce(driver, name, random()).catch((error: unknown) => {
      // A guest that goes off may be off before that is said.
      if (!isVirError(error, 'OPERATION_INVALID')) throw error
    })
    if (time % 10 === 0) await sleep(1)
  }
}

async function flapOnce(driver: TestDriver, name: string, dice: number): Promise<void> {
  const domain = await driver.lookupDomain({ name })
  const { state } = await driver.getDomainState(domain)
  if (state === 'shutoff') await driver.startDomain(domain)
  else if (state === 'paused') await driver.resumeDomain(domain)
  else if (dice < 0.3) driver.controls.crash(name)
  else if (dice < 0.5) driver.controls.powerOff(name)
  else if (dice < 0.7) await driver.suspendDomain(domain)
  else if (dice < 0.8) driver.controls.reboot(name)
  else await driver.destroyDomain(domain)
}

/** Resolves once the driver has noticed that nobody is there. */
function away(driver: Awaited<ReturnType<typeof remoteProvider.open>>): Promise<void> {
  return new Promise((resolve) => {
    const stop = driver.onLinkState(({ state }) => {
      if (state !== 'away') return
      stop()
      resolve()
    })
  })
}

async function until(condition: () => Promise<boolean>, complaint: () => string): Promise<void> {
  const deadline = Date.now() + patience(20_000)
  while (!(await condition().catch(() => false))) {
    if (Date.now() > deadline) throw new Error(complaint())
    await sleep(5)
  }
}

function same(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  return one.size === other.size && [...one].every(([uuid, state]) => other.get(uuid) === state)
}

function difference(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): string {
  const wrong = [...other].filter(([uuid, state]) => one.get(uuid) !== state)
  return wrong.map(([uuid, state]) => `${uuid} is ${state}, not ${one.get(uuid)}`).join(', ')
}

/** The same numbers for the same seed (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
