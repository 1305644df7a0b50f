import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { DomainSpec, DriverFixture, DriverWorld, GuestKind } from '@covirt/contract'
import { Connection, type Domain, type Driver, parseConnectUri, type RoleName } from '@covirt/core'
import {
  LINUX_GUEST_CMDLINE,
  linuxGuest,
  type TempRoot,
  tempRoot,
  uniqueName,
} from '../../../test/fixtures/index.js'
import { qemuProvider } from '../src/index.js'
import { firmwareXml, guestXml } from './guests.js'
import { processOf } from './processes.js'

const run = promisify(execFile)

/** Exactly the roles of the driver. */
const qemuRoles = [
  'console',
  'reset',
  'guestAgent',
  'addresses',
  'savedState',
  'graphics',
  'keyboard',
  'nmi',
  'guestTime',
  'statistics',
  'devices',
  'tuning',
  'snapshots',
] as const satisfies readonly RoleName[]

/**
 * The driver with guests of one domain type.
 *
 * @param noAgent why there is no guest with an agent, if so
 */
export function qemuFixture(type: 'qemu' | 'kvm', noAgent: string | undefined): DriverFixture {
  return {
    type: 'QEMU',
    roles: qemuRoles,
    addressSources: ['agent'],
    shutdownModes: ['acpi', 'agent'],
    leftOut: {
      advance: 'time is real here',
      consoleHistory: 'a console is logged where the definition asks for that',
      ...(noAgent !== undefined && { agent: noAgent }),
    },
    world: () => QemuWorld.make(type, { agent: noAgent === undefined }),
  }
}

/** How often a guest that comes up is asked whether it is there: its first bytes fall on deaf ears. */
const askIntervalMs = 20

const spareMac = '52:54:00:00:00:99'

function spareNic(link: string): string {
  return `<interface type='user'><mac address='${spareMac}'/><model type='virtio'/>${link}</interface>`
}

/** A root of its own for real QEMUs of one domain type. */
export class QemuWorld implements DriverWorld {
  readonly dialogue = { say: 't', hear: 'FX-TICKS' }
  readonly memory = {
    put: (domain: Domain) => this.#tell(domain, 'i', 'FX-IGNORE 1', 1),
    has: async (domain: Domain) =>
      (await this.#answer(domain, 'i', /FX-IGNORE \d/, 1)).includes('FX-IGNORE 0'),
  }
  readonly spareDevice = {
    xml: spareNic(''),
    word: spareMac,
    changed: spareNic("<link state='down'/>"),
    changedWord: "<link state='down'/>",
  }
  readonly storage = {
    write: (domain: Domain, text: string) => this.#store(domain, text),
    read: async (domain: Domain) => this.#stored.get(await this.#sector(domain)) ?? 'something else',
  }
  readonly uniqueName = uniqueName
  readonly #root: TempRoot
  readonly #type: 'qemu' | 'kvm'
  readonly #firmwareXml: string
  readonly #agentXml: string
  readonly #kinds = new Map<string, GuestKind>()
  /** The texts that were stored, by the number that is on the disk. */
  readonly #stored = new Map<number, string>()

  readonly #image: Uint8Array

  private constructor(
    root: TempRoot,
    type: 'qemu' | 'kvm',
    image: Uint8Array,
    xml: { firmware: string; agent: string },
  ) {
    this.#image = image
    this.#root = root
    this.#type = type
    this.#firmwareXml = xml.firmware
    this.#agentXml = xml.agent
  }

  static async make(type: 'qemu' | 'kvm', abilities: { agent: boolean }): Promise<QemuWorld> {
    const root = await tempRoot()
    for (const [name, commands] of Object.entries({
      slow: 'sleep 5.2\nexec qemu-system-x86_64 "$@"',
      stuck: 'exec sleep 100000',
      wrapped: 'qemu-system-x86_64 "$@"\nexit $?',
    })) {
      await writeFile(root.join(name), `#!/bin/sh\n${commands}\n`)
      await chmod(root.join(name), 0o755)
    }
    const firmware = await firmwareXml({ name: 'NAME', type, elements: 'ELEMENTS' })
    return new QemuWorld(root, type, await emptyImage(), {
      firmware,
      agent: abilities.agent ? await linuxXml() : '',
    })
  }

  filePath(name: string): string {
    return this.path(name)
  }

  /** The path of a file of the test's own. */
  path(name: string): string {
    return this.#root.join(name)
  }

  read(name: string): Promise<string> {
    return readFile(this.path(name), 'utf8')
  }

  get uri(): string {
    return `qemu:///system?root=${this.#root.path}`
  }

  async open(options = {}): Promise<Connection> {
    return new Connection<Driver>(await qemuProvider.open(parseConnectUri(this.uri), options))
  }

  domainXml({ name, uuid, memoryKib, elements = '', guest = 'plain', password }: DomainSpec): string {
    this.#kinds.set(name, guest)
    const xml = guest === 'agent' ? this.#agentXml : this.#firmwareXml
    const disk = guest === 'agent' ? '' : this.#disk(name)
    const emulator =
      guest === 'slow' || guest === 'stuck' ? `<emulator>${this.#root.join(guest)}</emulator>` : ''
    const vnc = "<graphics type='vnc'><listen type='socket'/></graphics>"
    const display = guest === 'screen' ? `<video><model type='vga'/></video>${vnc}` : ''
    const screen =
      password === undefined
        ? display
        : `<graphics type='vnc' passwd='${password}'><listen type='socket'/></graphics>`
    return xml
      .replace('<name>NAME</name>', `<name>${name}</name>${uuid === undefined ? '' : `<uuid>${uuid}</uuid>`}`)
      .replace('ELEMENTS', elements)
      .replace(/<memory .*<\/memory>/, (own) =>
        memoryKib === undefined ? own : `<memory unit='KiB'>${memoryKib}</memory>`,
      )
      .replace(/<loader.*<\/loader>/, (own) =>
        guest === 'broken' ? `<loader type='rom'>${this.#root.join('no-such-firmware')}</loader>` : own,
      )
      .replace('<devices>', `<devices>${emulator}`)
      .replace('</devices>', `${disk}${screen}</devices>`)
  }

  async ready(domain: Domain): Promise<void> {
    const kind = this.#kinds.get(domain.name)
    if (kind === 'agent') return agentReady(domain)
    await this.#tell(domain, 'z', 'FX-ECHO z')
    if (kind === 'deaf') await this.#tell(domain, 'i', 'FX-IGNORE 1', 1)
    if (kind === 'inattentive') await this.#tell(domain, 'o', 'FX-IGNORE 2', 1)
  }

  async kill(domain: Domain): Promise<void> {
    process.kill(await processOf(domain.uuid), 'SIGKILL')
  }

  panic(domain: Domain): Promise<void> {
    return this.#command(domain, 'k')
  }

  powerOff(domain: Domain): Promise<void> {
    return this.#command(domain, 'p')
  }

  restart(domain: Domain): Promise<void> {
    return this.#command(domain, 'r')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#root[Symbol.asyncDispose]()
  }

  get type(): 'qemu' | 'kvm' {
    return this.#type
  }

  /** A disk with the name of the domain, made where there is none. */
  #disk(name: string): string {
    const path = this.path(`${name}.qcow2`)
    if (!existsSync(path)) writeFileSync(path, this.#image)
    return `<disk type='file'><driver name='qemu' type='qcow2'/><source file='${path}'/><target dev='hda' bus='ide'/></disk>`
  }

  /** By the guest, which writes a number that it has not written since its start, or into the image. */
  async #store(domain: Domain, text: string): Promise<void> {
    if (await domain.isActive()) {
      const answer = await this.#answer(domain, 'W', /FX-WROTE \d+ OK/, 1)
      this.#stored.set(Number(/FX-WROTE (\d+)/.exec(answer)?.[1]), text)
      return
    }
    const byte = this.#stored.size + 1
    await run('qemu-io', ['-f', 'qcow2', '-c', `write -P ${byte} 512 512`, imageOf(await domain.xml())])
    this.#stored.set(byte * 257, text)
  }

  /** The last number in the second sector of the disk. */
  async #sector(domain: Domain): Promise<number> {
    if (await domain.isActive())
      return Number(/FX-READ (\d+)/.exec(await this.#answer(domain, 'R', /FX-READ \d+ OK/, 1))?.[1])
    const image = imageOf(await domain.xml())
    const { stdout } = await run('qemu-io', ['-r', '-f', 'qcow2', '-c', 'read -v 1022 2', image])
    const [, low = '', high = ''] = /: +([0-9a-f]{2}) ([0-9a-f]{2})/.exec(stdout) ?? []
    return Number.parseInt(high + low, 16)
  }

  /** Writes one letter to the guest; how it acts on it is not waited for. */
  async #command(domain: Domain, letter: string): Promise<void> {
    const console = await domain.openConsole({ force: true, shared: true })
    console.on('error', () => {})
    console.resume()
    const closed = once(console, 'close')
    console.end(letter)
    await closed
  }

  async #tell(
    domain: Domain,
    letter: string,
    answer: string,
    times = Number.POSITIVE_INFINITY,
  ): Promise<void> {
    await this.#answer(domain, letter, answer, times)
  }

  async #answer(domain: Domain, letter: string, answer: string | RegExp, times: number): Promise<string> {
    const console = await domain.openConsole({ force: true, shared: true })
    const heard = hears(console, answer)
    const done = new AbortController()
    const finish = () => done.abort()
    heard.then(finish, finish)
    for (let asked = 0; asked < times && !done.signal.aborted; asked++) {
      console.write(letter)
      await sleep(askIntervalMs, undefined, { signal: done.signal }).catch(() => {})
    }
    const text = await heard
    const closed = once(console, 'close')
    console.destroy()
    await closed
    return text
  }
}

/** Resolves once `text` has come, and rejects where the stream ends before. */
export function hears(stream: Duplex, text: string | RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let heard = ''
    stream.on('data', (chunk: Buffer) => {
      heard += chunk.toString()
      if (typeof text === 'string' ? heard.includes(text) : text.test(heard)) resolve(heard)
    })
    stream.on('close', () => reject(new Error(`The console has ended without '${text}': ${heard}`)))
  })
}

/** An empty qcow2 image; made once. */
function emptyImage(): Promise<Uint8Array> {
  image ??= makeImage()
  return image
}

let image: Promise<Uint8Array> | undefined

async function makeImage(): Promise<Uint8Array> {
  await using root = await tempRoot()
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', root.join('image'), '1M'])
  return readFile(root.join('image'))
}

function imageOf(xml: string): string {
  return /<source file='([^']*\.qcow2)'/.exec(xml)?.[1] ?? ''
}

async function agentReady(domain: Domain): Promise<void> {
  for (;;) {
    try {
      await domain.agentCommand('{"execute":"guest-ping"}', { timeoutMs: 500 })
      return
    } catch {
      await sleep(askIntervalMs)
    }
  }
}

async function linuxXml(): Promise<string> {
  const { kernel, initrd } = await linuxGuest()
  const os = `<loader type='rom'>/usr/share/qemu/qboot.rom</loader>
    <kernel>${kernel}</kernel><initrd>${initrd}</initrd><cmdline>${LINUX_GUEST_CMDLINE} fx.noshell</cmdline>`
  const devices = "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
  return guestXml({ name: 'NAME', elements: 'ELEMENTS', machine: 'q35', memoryKib: 262144, os, devices })
}
