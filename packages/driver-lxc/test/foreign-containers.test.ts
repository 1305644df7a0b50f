import { execFile } from 'node:child_process'
import { appendFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { Connection, type Domain, type Driver, parseConnectUri } from '@covirt/core'
import { lifecycleOf, parseDomain } from '@covirt/xml'
import { expect, test } from '@jest/globals'
import { netnsBridge } from '../../../test/fixtures/bridge.js'
import { busyboxRootfs, canRunLxc, describeWhen, tempRoot, uniqueName } from '../../../test/fixtures/index.js'
import { expectMachineUnchanged, machineState } from '../../../test/fixtures/machine-state.js'
import { runToken } from '../../../test/fixtures/run-token.js'
import { EventLog } from '../../contract/src/event-log.js'
import { lxcProvider } from '../src/index.js'
import { containerCgroups } from '../src/native.js'

const run = promisify(execFile)

/** An lxcpath of its own with one container, and a root from which it is looked at. */
class ForeignPlace implements AsyncDisposable {
  readonly name = uniqueName('foreign')
  readonly events = new EventLog()
  readonly #root: Awaited<ReturnType<typeof tempRoot>>
  readonly #connections: Connection[] = []

  private constructor(root: Awaited<ReturnType<typeof tempRoot>>) {
    this.#root = root
  }

  static async make(): Promise<ForeignPlace> {
    const place = new ForeignPlace(await tempRoot())
    await mkdir(place.lxcpath)
    await place.create(place.name)
    return place
  }

  get lxcpath(): string {
    return this.#root.join('lxcpath')
  }

  configOf(name: string): string {
    return join(this.lxcpath, name, 'config')
  }

  /** Where it is written what is known of it while it runs. */
  statusOf(name: string): string {
    return this.#root.join(`root/run/lxc/${name}.json`)
  }

  /** As lxc-create does it: a directory, a root file system, and at last the configuration. */
  async create(name: string): Promise<void> {
    await busyboxRootfs(join(this.lxcpath, name, 'rootfs'))
    await writeFile(
      this.configOf(name),
      `lxc.rootfs.path = dir:${this.lxcpath}/${name}/rootfs
lxc.uts.name = ${name}
lxc.init.cmd = /sbin/ctinit
lxc.cgroup.memory.limit_in_bytes = 64M
lxc.apparmor.profile = unconfined
lxc.net.0.type = empty
`,
    )
  }

  async open(): Promise<Connection> {
    const uri = `lxc:///system?root=${this.#root.join('root')}&lxcpath=${this.lxcpath}`
    const connection = new Connection<Driver>(await lxcProvider.open(parseConnectUri(uri)))
    this.#connections.push(connection)
    this.events.follow(connection)
    return connection
  }

  /** Opens, and finds the container. */
  async domain(): Promise<Domain> {
    return (await this.open()).domains.lookupByName(this.name)
  }

  /** One of liblxc's own tools. */
  lxc(tool: 'start' | 'stop' | 'destroy', ...args: readonly string[]): Promise<unknown> {
    return run(`lxc-${tool}`, ['-P', this.lxcpath, '-n', this.name, ...args])
  }

  async close(): Promise<void> {
    for (const connection of this.#connections.splice(0)) await connection.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
    await this.lxc('stop', '-k').catch(() => {})
    await this.#root[Symbol.asyncDispose]()
  }
}

/** What a script prints inside, errors included. */
async function inside(domain: Domain, script: string): Promise<string> {
  const { stdout, exit } = await domain.exec(['/bin/sh', '-c', `exec 2>&1; ${script}`])
  const [output] = await Promise.all([text(stdout), exit])
  return output
}

const mac = (number: number) => `52:54:00:5e:00:${number}`

const link = (number: number) => `<interface type='ethernet'><mac address='${mac(number)}'/></interface>`

/** Pairs whose names liblxc chooses, with these numbers in their addresses. */
function links(...numbers: readonly number[]): string {
  return numbers
    .map((number, index) => {
      const key = `lxc.net.${index + 1}`
      return `${key}.type = veth\n${key}.flags = up\n${key}.hwaddr = ${mac(number)}\n`
    })
    .join('')
}

/** The container of a place, with this in its configuration, as lxc-start starts it. */
async function running(place: ForeignPlace, config: string): Promise<Domain> {
  await appendFile(place.configOf(place.name), config)
  await place.lxc('start')
  return place.domain()
}

/** The addresses of the links that it was given, in order. */
async function macsIn(domain: Domain): Promise<readonly string[]> {
  const found = await domain.listInterfaceAddresses()
  return found.flatMap(({ mac = '' }) => (mac.startsWith('52:54:') ? [mac] : [])).sort()
}

/** In bytes. */
async function memoryLimit(domain: Domain): Promise<number> {
  const [init] = await domain.listProcesses()
  const groups = await containerCgroups(init?.pid ?? -1)
  const [directory, file] = groups.has('memory')
    ? [groups.get('memory'), 'memory.limit_in_bytes']
    : [groups.get(''), 'memory.max']
  return Number(await readFile(join(directory ?? '', file), 'utf8'))
}

describeWhen(canRunLxc(), 'a container that lxc-create made', () => {
  test('is listed and described by its configuration, with the same uuid each time', async () => {
    await using place = await ForeignPlace.make()
    const domain = await place.domain()
    expect(await domain.state()).toMatchObject({ state: 'shutoff' })
    expect(await domain.isPersistent()).toBe(true)
    const xml = await domain.xml()
    expect(xml).toContain(`<source dir='${place.lxcpath}/${place.name}/rootfs'/>`)
    expect(xml).toContain('<init>/sbin/ctinit</init>')
    expect(await domain.info()).toMatchObject({ maxMemoryKib: 65_536 })
    expect((await place.domain()).uuid).toBe(domain.uuid)
  })

  test('is listed beside one that cannot be understood', async () => {
    await using place = await ForeignPlace.make()
    const broken = uniqueName('broken')
    await mkdir(join(place.lxcpath, broken))
    await writeFile(place.configOf(broken), 'lxc.uts.name = broken\n')
    const { domains } = await place.open()
    expect((await domains.list()).map(({ name }) => name)).toEqual([place.name])
  })

  test('is started, paused, shut down and destroyed, and its files are as they were', async () => {
    await using place = await ForeignPlace.make()
    const config = await readFile(place.configOf(place.name), 'utf8')
    const before = await stat(place.configOf(place.name))
    const domain = await place.domain()
    await domain.start()
    await domain.suspend()
    await domain.shutdown()
    await domain.waitFor('shutoff')
    await domain.start()
    await domain.destroy()
    expect(await readFile(place.configOf(place.name), 'utf8')).toBe(config)
    expect((await stat(place.configOf(place.name))).mtimeMs).toBe(before.mtimeMs)
    expect(place.events.names()).toEqual([
      ...['started/booted', 'suspended/paused', 'resumed/unpaused', 'stopped/shutdown'],
      ...['started/booted', 'stopped/destroyed'],
    ])
  })

  test('is noticed when lxc-start starts it and lxc-stop stops it', async () => {
    await using place = await ForeignPlace.make()
    const domain = await place.domain()
    for (let round = 0; round < 2; round++) {
      place.events.clear()
      await place.lxc('start')
      await place.events.seen('started/booted', domain)
      expect(await domain.state()).toMatchObject({ state: 'running' })
      await place.lxc('stop')
      await place.events.seen('stopped/shutdown', domain)
      expect(await domain.state()).toEqual({ state: 'shutoff', reason: 'shutdown' })
    }
  })

  test('is found as it is at open: started meanwhile, and stopped meanwhile', async () => {
    await using place = await ForeignPlace.make()
    await place.lxc('start')
    const domain = await place.domain()
    expect(await domain.state()).toMatchObject({ state: 'running' })
    expect((await domain.info()).memoryKib).toBeGreaterThan(0)
    await place.close()
    await place.lxc('stop')
    await expect((await place.domain()).state()).resolves.toMatchObject({ state: 'shutoff' })
  })

  test('that this library started runs on without it, and lxc-stop stops it then', async () => {
    await using place = await ForeignPlace.make()
    const connection = await place.open()
    await (await connection.domains.lookupByName(place.name)).start()
    await connection.close()
    await place.lxc('stop')
    expect(await (await place.domain()).state()).toMatchObject({ state: 'shutoff' })
  })

  test('whose root is an overlay is not redefined: its changes would not be seen any more', async () => {
    await using place = await ForeignPlace.make()
    const config = place.configOf(place.name)
    const text = await readFile(config, 'utf8')
    const overlay = `overlay:${place.lxcpath}/base:${place.lxcpath}/${place.name}/delta0`
    await writeFile(config, text.replace(/^(lxc\.rootfs\.path = ).*$/m, `$1${overlay}`))
    const domain = await place.domain()
    const xml = await domain.xml()
    const connection = await place.open()
    await expect(connection.domains.define(xml)).rejects.toMatchObject({ code: 'CONFIG_UNSUPPORTED' })
  })

  test('is not removed, renamed or marked here, and is the own one of this library once it is redefined', async () => {
    await using place = await ForeignPlace.make()
    const connection = await place.open()
    const domain = await connection.domains.lookupByName(place.name)
    const config = await readFile(place.configOf(place.name), 'utf8')
    for (const call of [
      () => domain.undefine(),
      () => domain.rename('other'),
      () => domain.setAutostart(true),
      () => domain.createSnapshot(),
      () => domain.setVcpus(1),
      () => domain.setMemory(1024, { config: true }),
    ])
      await expect(call()).rejects.toMatchObject({ code: 'OPERATION_INVALID' })
    await connection.domains.define((await domain.xml()).replace('<memory ', '<title>ours</title><memory '))
    await domain.setAutostart(true)
    await connection.close()
    const again = await place.domain()
    expect(await again.xml()).toContain('<title>ours</title>')
    await again.undefine()
    expect(await readFile(place.configOf(place.name), 'utf8')).toBe(config)
  })

  test('is noticed when it is made, changed and removed', async () => {
    await using place = await ForeignPlace.make()
    await place.open()
    const name = uniqueName('second')
    await place.create(name)
    await place.events.seen('defined/added')
    await appendFile(place.configOf(name), 'lxc.start.auto = 1\nlxc.init.cmd = /sbin/init\n')
    await place.events.seen('defined/updated')
    await rm(join(place.lxcpath, name), { recursive: true })
    await place.events.seen('undefined/removed')
  })

  test('says when it is to be started, as liblxc’s own tools would', async () => {
    await using place = await ForeignPlace.make()
    await appendFile(place.configOf(place.name), 'lxc.start.order = 7\nlxc.start.delay = 3\n')
    const domain = await place.domain()
    expect(lifecycleOf(parseDomain(await domain.xml()))?.start).toMatchObject({ order: 1007, delayMs: 3000 })
  })

  test('is given and loses devices and limits while it runs, over its restarts, and has its own when it is started anew', async () => {
    await using place = await ForeignPlace.make()
    const data = join(place.lxcpath, '..', 'data')
    await mkdir(data)
    await writeFile(join(data, 'hello'), 'hello')
    await appendFile(
      place.configOf(place.name),
      'lxc.net.1.type = veth\nlxc.net.1.flags = up\nlxc.net.1.hwaddr = 52:54:00:5e:00:31\n',
    )
    await place.lxc('start')
    let domain = await place.domain()
    const links = async () => (await domain.listInterfaceAddresses()).map(({ name }) => name)
    const hello = () => inside(domain, 'cat /plug/hello')
    expect(await links()).toContain('eth0')
    const limit = await memoryLimit(domain)

    await domain.detachDevice("<interface type='ethernet'><mac address='52:54:00:5e:00:31'/></interface>")
    await domain.attachDevice(
      `<filesystem type='mount'><source dir='${data}'/><target dir='/plug'/></filesystem>`,
    )
    await domain.setMemory(32_768, { live: true })
    const changed = async () => {
      expect(await links()).not.toContain('eth0')
      expect(await hello()).toBe('hello')
      expect(await memoryLimit(domain)).toBe(32 << 20)
    }
    await changed()

    place.events.clear()
    const [init] = await domain.listProcesses()
    process.kill(init?.pid ?? -1, 'SIGTERM')
    await place.events.seen('reboot', domain)
    await changed()
    await place.close()
    domain = await place.domain()
    await changed()

    await place.close()
    await place.lxc('stop', '-k')
    await place.lxc('start')
    domain = await place.domain()
    expect(await links()).toContain('eth0')
    expect(await hello()).toContain('No such file')
    expect(await memoryLimit(domain)).toBe(limit)
    expect(await domain.xml()).not.toContain('/plug')
  })

  test('gets a link beside one that liblxc has named itself', async () => {
    await using place = await ForeignPlace.make()
    const domain = await running(place, links(31))
    await domain.attachDevice(link(33))
    expect(await macsIn(domain)).toEqual([mac(31), mac(33)])
    await domain.detachDevice(link(33))
    expect(await macsIn(domain)).toEqual([mac(31)])
  })

  test('loses the link that is meant, whatever liblxc has called it', async () => {
    await using place = await ForeignPlace.make()
    const domain = await running(place, `${links(31, 32)}lxc.net.1.name = eth1\n`)
    await domain.detachDevice(link(32))
    expect(await macsIn(domain)).toEqual([mac(31)])
  })

  test('loses a link that it has renamed itself', async () => {
    await using place = await ForeignPlace.make()
    const domain = await running(place, links(31))
    await inside(domain, 'ip link set eth0 down; ip link set eth0 name foo')
    await domain.detachDevice(link(31))
    expect(await macsIn(domain)).toEqual([])
  })

  test('has a link changed after it has lost another one, also when it has restarted', async () => {
    await using place = await ForeignPlace.make()
    const domain = await running(place, links(31, 32))
    await domain.detachDevice(link(31))
    const [xml = ''] = /<interface [^>]*>(?:(?!<\/interface>).)*<\/interface>/s.exec(await domain.xml()) ?? []
    await domain.updateDevice(xml.replace('</interface>', "<link state='down'/></interface>"), { live: true })
    const left = async () => {
      expect(await macsIn(domain)).toEqual([mac(32)])
      expect(await inside(domain, 'ip link show eth1')).not.toContain('UP')
    }
    await left()
    const [init] = await domain.listProcesses()
    process.kill(init?.pid ?? -1, 'SIGTERM')
    await place.events.seen('reboot', domain)
    await left()
    await domain.detachDevice(link(32))
    expect(await macsIn(domain)).toEqual([])
  })

  test('has a link put on another bridge', async () => {
    await using bridge = await netnsBridge()
    await using other = await netnsBridge()
    await using place = await ForeignPlace.make()
    const domain = await running(place, `${links(31)}lxc.net.1.link = ${bridge.name}\n`)
    const ports = (of: { readonly name: string }) => readdir(`/sys/class/net/${of.name}/brif`)
    const [pair] = await ports(bridge)
    await domain.updateDevice(
      `<interface type='bridge'><mac address='${mac(31)}'/><source bridge='${other.name}'/></interface>`,
      { live: true },
    )
    expect(pair).toMatch(/^veth/)
    expect(await ports(other)).toEqual([pair])
  })

  test('keeps a link where its configuration has got others since it was started', async () => {
    await using place = await ForeignPlace.make()
    await appendFile(place.configOf(place.name), links(31))
    await place.lxc('start')
    await appendFile(place.configOf(place.name), links(31, 32).replace(links(31), ''))
    const domain = await place.domain()
    const refused = { code: 'OPERATION_UNSUPPORTED', hint: expect.stringContaining('configuration') }
    await expect(domain.detachDevice(link(31))).rejects.toMatchObject(refused)
    expect(await macsIn(domain)).toEqual([mac(31)])
  })

  test('is what its configuration says where only the number of its monitor is the recorded one', async () => {
    await using place = await ForeignPlace.make()
    const domain = await running(place, links(31))
    await domain.attachDevice(link(33))
    await place.close()
    const status = place.statusOf(place.name)
    const recorded = await readFile(status, 'utf8')
    await writeFile(status, recorded.replace(/("monitorStart": ?)\d+/, '$11'))
    expect(await (await place.domain()).xml()).not.toContain(mac(33))
    await place.close()
    expect(await readFile(status, 'utf8')).not.toContain(mac(33))
  })

  test('leaves nothing when it was started and stopped', async () => {
    await using place = await ForeignPlace.make()
    const domain = await place.domain()
    const before = machineState()
    await domain.start()
    await domain.destroy()
    await expectMachineUnchanged(before, { token: `cv-${runToken()}-foreign-` })
  })
})
