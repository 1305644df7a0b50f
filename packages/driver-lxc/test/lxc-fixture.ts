import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { DomainSpec, DriverFixture, DriverWorld } from '@covirt/contract'
import { Connection, type Domain, type Driver, parseConnectUri } from '@covirt/core'
import {
  busyboxRootfs,
  canLimitContainers,
  patience,
  tempRoot,
  uniqueName,
} from '../../../test/fixtures/index.js'
import { processIdentity } from '../src/host/processes.js'
import { lxcProvider } from '../src/index.js'
import { isFrozen, setFrozen } from '../src/native.js'

/** Resolves once `look` finds something. */
export async function eventually<T>(look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + patience(10_000)
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (Date.now() > deadline) throw new Error(`Not in time: ${look}`)
    await delay(2)
  }
}

interface Rootfs extends AsyncDisposable {
  /** The directory with a root file system for each kind of guest. */
  of(kind: 'plain' | 'lasting' | 'deaf' | 'inattentive'): string
}

let rootfs: Promise<Rootfs> | undefined

/** Shared by all worlds of a test file: copying them takes longer than most tests. */
async function makeRootfs(): Promise<Rootfs> {
  const root = await tempRoot()
  for (const kind of ['plain', 'lasting']) await busyboxRootfs(root.join(kind))
  await writeFile(join(await busyboxRootfs(root.join('deaf')), 'etc/slowstop'), '-1')
  await writeFile(join(await busyboxRootfs(root.join('inattentive')), 'etc/slowstop'), '-2')
  return { of: (kind) => root.join(kind), [Symbol.asyncDispose]: () => root[Symbol.asyncDispose]() }
}

/** For `afterAll` of a test file that makes worlds. */
export async function removeRootfs(): Promise<void> {
  await (await rootfs)?.[Symbol.asyncDispose]()
  rootfs = undefined
}

/** What makes a container of a definition privileged. */
export const privileged =
  "<metadata><c:container xmlns:c='urn:covirt:lxc:1'><c:privileged/></c:container></metadata>"

/** A world of real containers below a directory of its own. */
export class LxcWorld implements DriverWorld {
  readonly uniqueName = uniqueName
  readonly #root: Awaited<ReturnType<typeof tempRoot>>
  /** The root file system of a domain; all plain ones share one. */
  readonly rootfs: string
  readonly #rootfs: Rootfs
  readonly dialogue = { say: 'echo he""ard $((40+2))\n', hear: 'heard 42' }

  readonly #elements: string

  private constructor(root: Awaited<ReturnType<typeof tempRoot>>, rootfs: Rootfs, elements: string) {
    this.#elements = elements
    this.#root = root
    this.#rootfs = rootfs
    this.rootfs = rootfs.of('plain')
  }

  /** @param elements for all of its definitions */
  static async make(elements = ''): Promise<LxcWorld> {
    rootfs ??= makeRootfs()
    return new LxcWorld(await tempRoot(), await rootfs, elements)
  }

  get path(): string {
    return this.#root.path
  }

  async open(options: Parameters<DriverWorld['open']>[0] = {}): Promise<Connection> {
    const uri = parseConnectUri(`lxc:///system?root=${this.path}`)
    return new Connection<Driver>(await lxcProvider.open(uri, options))
  }

  domainXml({
    name,
    uuid,
    memoryKib = 65_536,
    elements = '',
    guest = 'plain',
    lasting = false,
  }: DomainSpec): string {
    const kind = lasting ? 'lasting' : 'plain'
    const root = this.#rootfs.of(guest === 'deaf' || guest === 'inattentive' ? guest : kind)
    const init = guest === 'broken' ? '/sbin/missing' : '/sbin/ctinit'
    return `<domain type='lxc'><name>${name}</name>${uuid === undefined ? '' : `<uuid>${uuid}</uuid>`}
      <memory unit='KiB'>${memoryKib}</memory>${this.#withElements(elements)}
      <os><type>exe</type><init>${init}</init></os>
      <devices><filesystem type='mount'><source dir='${root}'/><target dir='/'/></filesystem></devices></domain>`
  }

  #withElements(elements: string): string {
    const inner = /^<metadata>(.*)<\/metadata>$/s.exec(this.#elements)?.[1]
    return inner !== undefined && elements.includes('</metadata>')
      ? elements.replace('</metadata>', `${inner}</metadata>`)
      : this.#elements + elements
  }

  async ready(domain: Domain): Promise<void> {
    await eventually(async () => {
      const log = await this.consoleLog(domain)
      return log.includes(`FX-READY ${domain.name}`) ? true : undefined
    })
  }

  /** All that a domain's containers have printed. */
  consoleLog(domain: Domain): Promise<string> {
    return readFile(join(this.path, 'log/lxc', `${domain.name}.log`), 'utf8').catch(() => '')
  }

  readonly spareDevice = {
    xml: "<interface type='ethernet'><mac address='52:54:00:5e:00:01'/><guest dev='spare0'/></interface>",
    word: '52:54:00:5e:00:01',
    changed:
      "<interface type='ethernet'><mac address='52:54:00:5e:00:01'/><guest dev='spare0'/><link state='down'/></interface>",
    changedWord: "state='down'",
  }

  readonly storage = {
    write: (domain: Domain, text: string) => this.#atMark(domain, (mark) => writeFile(mark, text)),
    read: (domain: Domain) => this.#atMark(domain, (mark) => readFile(mark, 'utf8')),
  }

  /** A file in the root file system of a domain. */
  async #atMark<T>(domain: Domain, act: (mark: string) => Promise<T>): Promise<T> {
    const [, root] = /<source dir=['"]([^'"]+)/.exec(await domain.xml()) ?? []
    return act(join(root ?? '', 'mark'))
  }

  async kill(domain: Domain): Promise<void> {
    const pid = await this.initPid(domain)
    const frozen = await isFrozen(pid)
    process.kill(pid, 'SIGKILL')
    // The freezer of cgroup version 1 keeps even killed processes.
    if (frozen) await setFrozen(pid, false).catch(() => {})
    await eventually(() => (processIdentity(pid)?.alive ? undefined : true))
  }

  async powerOff(domain: Domain): Promise<void> {
    process.kill(await this.initPid(domain), 'SIGUSR2')
  }

  async restart(domain: Domain): Promise<void> {
    process.kill(await this.initPid(domain), 'SIGTERM')
  }

  /** From the stored status: what the driver would find it again by. */
  async initPid(domain: Domain): Promise<number> {
    const status = await readFile(join(this.path, 'run/lxc', `${domain.name}.json`), 'utf8')
    return Number(/"initPid": ?(\d+)/.exec(status)?.[1])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#root[Symbol.asyncDispose]()
  }
}

const noLimits = canLimitContainers()

export const lxcFixture: DriverFixture = {
  type: 'LXC',
  roles: [
    'console',
    'exec',
    'processes',
    'addresses',
    'files',
    'snapshots',
    'nativeConfig',
    'statistics',
    'devices',
    'tuning',
  ],
  addressSources: ['guest'],
  shutdownModes: ['signal', 'initctl'],
  leftOut: {
    advance: 'time is real here',
    ...(noLimits !== undefined && { tuning: noLimits }),
    panic: 'containers have no kernel of their own',
    password: 'containers have none',
    slow: 'containers start in milliseconds',
    stuck: 'containers start in milliseconds',
    agent: 'containers have none',
  },
  world: () => LxcWorld.make(),
}

/** The same for containers without a user namespace. */
export const privilegedFixture: DriverFixture = {
  ...lxcFixture,
  world: () => LxcWorld.make(privileged),
}
