import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import type { Connection, Domain } from '@covirt/core'
import { afterAll, expect, test } from '@jest/globals'
import {
  canLimitContainers,
  canRunLxc,
  describeWhen,
  netnsBridge,
  type TestBridge,
  tempRoot,
  testWhen,
  uniqueName,
} from '../../../test/fixtures/index.js'
import { randomToken, runToken } from '../../../test/fixtures/run-token.js'
import { containerCgroups } from '../src/native.js'
import { LxcWorld, privileged, removeRootfs } from './lxc-fixture.js'

const tun = "<hostdev mode='capabilities' type='misc'><source><char>/dev/net/tun</char></source></hostdev>"
const run = promisify(execFile)
const uniquePair = () => `cv${runToken()}${randomToken(5)}`
const both = { live: true, config: true }

/** What a script prints inside, errors included. */
async function inside(domain: Domain, script: string): Promise<string> {
  const { stdout, exit } = await domain.exec(['/bin/sh', '-c', `exec 2>&1; ${script}`])
  const [output] = await Promise.all([text(stdout), exit])
  return output
}

/** A node more of the device /dev/net/tun. */
async function deviceNode(): Promise<{ readonly node: string } & AsyncDisposable> {
  const node = `/dev/${uniquePair()}`
  await run('mknod', [node, 'c', '10', '200'])
  return { node, [Symbol.asyncDispose]: () => rm(node, { force: true }) }
}

/** A world whose guests end with it, also those of a test that fails. */
async function makeWorld(elements = ''): Promise<LxcWorld> {
  const world = await LxcWorld.make(elements)
  const dispose = world[Symbol.asyncDispose].bind(world)
  world[Symbol.asyncDispose] = async () => {
    const connection = await world.open()
    for (const domain of await connection.domains.list({ active: true })) await domain.destroy()
    await connection.close()
    await dispose()
  }
  return world
}

async function running(world: LxcWorld, connection: Connection): Promise<Domain> {
  const domain = await connection.domains.define(world.domainXml({ name: uniqueName('plug') }))
  await domain.start()
  await world.ready(domain)
  return domain
}

/** The guest comes up anew by itself. */
async function restarted(world: LxcWorld, connection: Connection, domain: Domain): Promise<void> {
  const rebooted = new Promise<void>((resolve) => {
    const unsubscribe = connection.subscribe((event) => {
      if (event.type !== 'reboot') return
      unsubscribe()
      resolve()
    })
  })
  await world.restart(domain)
  await rebooted
}

/** What the control groups of a container say. */
async function limit(world: LxcWorld, domain: Domain, controller: string, file: string): Promise<string> {
  const groups = await containerCgroups(await world.initPid(domain))
  return (await readFile(join(groups.get(controller) ?? groups.get('') ?? '', file), 'utf8')).trim()
}

/** Which link, file, device it has. */
const look =
  'cat /sys/class/net/plug0/address; ip -4 -o addr show dev plug0 | grep -c 10.9.8.7; cat /plug/hello; (: </dev/net/tun) && stat -c %t:%T /dev/net/tun; grep "^tmpfs /memory tmpfs rw,nosuid,nodev" /proc/mounts | grep -c size=128k; grep -q " /memory " /proc/mounts && echo x >/memory/x && stat -c %u /memory'
const all = '52:54:00:5e:00:07\n1\nhello\na:c8\n1\n0\n'

describeWhen(canRunLxc(), 'a container that runs', () => {
  afterAll(removeRootfs)

  for (const [kind, elements] of [
    ['with ids of its own', ''],
    ['without', privileged],
  ] as const)
    test(`${kind} has what it is given, also when it has restarted, until that is taken away`, async () => {
      await using place = await tempRoot()
      await using bridge = await netnsBridge()
      await using world = await makeWorld(elements)
      await mkdir(place.join('data'))
      await writeFile(place.join('data/hello'), 'hello\n')
      const link = `<interface type='bridge'><mac address='52:54:00:5e:00:07'/><source bridge='${bridge.name}'/>
        <ip address='10.9.8.7' prefix='24'/><guest dev='plug0'/></interface>`
      const directory = `<filesystem type='mount'><source dir='${place.join('data')}'/><target dir='/plug'/><readonly/></filesystem>`
      const memory = "<filesystem type='ram'><source usage='128'/><target dir='/memory'/></filesystem>"
      let connection = await world.open()
      const domain = await running(world, connection)
      const before = await inside(domain, look)
      expect(before).not.toContain('52:54')
      for (const device of [link, directory, tun, memory]) await domain.attachDevice(device)
      expect(await inside(domain, look)).toBe(all)
      expect(await inside(domain, 'touch /plug/new')).toContain('Read-only')
      const pair = /<target dev='([^']*)'/.exec(await domain.xml())?.[1] ?? ''
      expect(existsSync(`/sys/class/net/${bridge.name}/brif/${pair}`)).toBe(true)

      await restarted(world, connection, domain)
      expect(await inside(domain, look)).toBe(all)
      await connection.close()
      connection = await world.open()
      const again = await connection.domains.lookupByUuid(domain.uuid)
      expect(await inside(again, look)).toBe(all)

      for (const device of [link, directory, tun, memory]) await again.detachDevice(device)
      expect(await inside(again, look)).toBe(before)
      expect(existsSync(`/sys/class/net/${pair}`)).toBe(false)
      await restarted(world, connection, again)
      expect(await inside(again, look)).toBe(before)
      await connection.close()
    })

  test('loses a device that its definition gave it, also when it has restarted', async () => {
    await using world = await makeWorld()
    await using connection = await world.open()
    const domain = await connection.domains.define(world.domainXml({ name: uniqueName('plug') }))
    await domain.attachDevice(tun)
    await domain.start()
    await world.ready(domain)
    expect(await inside(domain, '(: </dev/net/tun) && echo open')).toBe('open\n')
    await domain.detachDevice(tun, { live: true })
    expect(await inside(domain, '(: </dev/net/tun) && echo open')).not.toContain('open\n')
    await restarted(world, connection, domain)
    expect(await inside(domain, '(: </dev/net/tun) && echo open')).not.toContain('open\n')
    expect(await domain.xml({ inactive: true })).toContain('/dev/net/tun')
  })

  test('has its links as they were changed, also when it has restarted', async () => {
    await using bridge = await netnsBridge()
    await using other = await netnsBridge()
    await using world = await makeWorld()
    await using connection = await world.open()
    const domain = await connection.domains.define(world.domainXml({ name: uniqueName('plug') }))
    const pairs = [uniquePair(), uniquePair()] as const
    const links = (on: TestBridge, state: string) => [
      `<interface type='bridge'><mac address='52:54:00:5e:00:07'/><source bridge='${on.name}'/>
        <target dev='${pairs[0]}'/><guest dev='plug0'/></interface>`,
      `<interface type='ethernet'><mac address='52:54:00:5e:00:08'/><target dev='${pairs[1]}'/>
        <guest dev='plug1'/><link state='${state}'/></interface>`,
    ]
    for (const link of links(bridge, 'up')) await domain.attachDevice(link)
    await domain.start()
    await world.ready(domain)
    await run('ip', ['link', 'set', pairs[1], 'master', bridge.name])
    await inside(domain, 'ip link set plug1 down; ip link set plug1 name own; ip link set own up')
    for (const link of links(other, 'down')) await domain.updateDevice(link, { live: true })
    const ports = (of: TestBridge) => readdir(`/sys/class/net/${of.name}/brif`)
    expect(await ports(bridge)).toEqual([pairs[1]])
    expect(await ports(other)).toEqual([pairs[0]])
    expect(await inside(domain, 'cat /sys/class/net/own/operstate')).toBe('down\n')
    await restarted(world, connection, domain)
    expect(await ports(other)).toEqual([pairs[0]])
    expect(await inside(domain, 'cat /sys/class/net/plug1/operstate')).toBe('down\n')
  })

  test('has what is in the place of another device, also when it has restarted', async () => {
    await using place = await tempRoot()
    await using world = await makeWorld()
    const devices = async (name: string, address: string) => {
      await mkdir(place.join(name))
      await writeFile(place.join(name, 'hello'), `${name}\n`)
      return [
        `<interface type='ethernet'><mac address='${address}'/><guest dev='plug0'/></interface>`,
        `<filesystem type='mount'><source dir='${place.join(name)}'/><target dir='/plug'/></filesystem>`,
      ]
    }
    const [old, replacing] = [
      await devices('old', '52:54:00:5e:00:07'),
      await devices('new', '52:54:00:5e:00:08'),
    ]
    let connection = await world.open()
    const domain = await connection.domains.define(world.domainXml({ name: uniqueName('plug') }))
    for (const device of old) await domain.attachDevice(device)
    await domain.start()
    await world.ready(domain)
    const see = 'cat /sys/class/net/plug0/address /plug/hello; grep -c " /plug " /proc/self/mountinfo'
    expect(await inside(domain, see)).toBe('52:54:00:5e:00:07\nold\n1\n')
    for (const device of old) await domain.detachDevice(device, { live: true })
    for (const device of replacing) await domain.attachDevice(device, { live: true })
    expect(await inside(domain, see)).toBe('52:54:00:5e:00:08\nnew\n1\n')
    await restarted(world, connection, domain)
    expect(await inside(domain, see)).toBe('52:54:00:5e:00:08\nnew\n1\n')

    await connection.close()
    connection = await world.open()
    const again = await connection.domains.lookupByUuid(domain.uuid)
    expect(await inside(again, see)).toBe('52:54:00:5e:00:08\nnew\n1\n')
    for (const device of replacing) await again.detachDevice(device, { live: true })
    expect(await inside(again, see)).toMatch(/No such file(.|\n)*\n0\n$/)
    await connection.close()
  })

  test('loses a device that the host has no more', async () => {
    await using world = await makeWorld()
    await using connection = await world.open()
    await using tunToo = await deviceNode()
    const { node } = tunToo
    const domain = await running(world, connection)
    const device = tun.replaceAll('/dev/net/tun', node)
    await domain.attachDevice(device)
    expect(await inside(domain, `(: <${node}) && echo open`)).toBe('open\n')
    const rules = () => limit(world, domain, 'devices', 'devices.list').catch(() => '')
    await rm(node)
    await domain.detachDevice(device)
    expect(await inside(domain, `(: <${node}) && echo open`)).not.toContain('open\n')
    expect(await rules()).not.toContain('10:200')
  })

  test('has renamed a link that only its name would tell: that is said when it is to be changed', async () => {
    await using bridge = await netnsBridge()
    await using world = await makeWorld()
    await using connection = await world.open()
    const domain = await running(world, connection)
    const link = (state: string) => `<interface type='direct'><mac address='52:54:00:5e:00:09'/>
      <source dev='${bridge.name}' mode='bridge'/><guest dev='plug0'/><link state='${state}'/></interface>`
    await domain.attachDevice(link('up'))
    await inside(domain, 'ip link set plug0 down; ip link set plug0 name own')
    await expect(domain.updateDevice(link('down'))).rejects.toMatchObject({
      code: 'OPERATION_FAILED',
      message: expect.stringContaining('renamed or removed its network link plug0'),
    })
  })

  test('gives the host no link of its own in place of one that it was given', async () => {
    await using world = await makeWorld()
    await using connection = await world.open()
    const given = uniquePair()
    await run('ip', ['link', 'add', given, 'type', 'veth', 'peer', 'name', uniquePair()])
    try {
      const link = `<hostdev mode='capabilities' type='net'><source><interface>${given}</interface></source></hostdev>`
      const domain = await connection.domains.define(world.domainXml({ name: uniqueName('plug') }))
      await domain.attachDevice(link)
      await domain.start()
      await world.ready(domain)
      const made = `ip link set ${given} down; ip link set ${given} name own0; ip link add ${given} type veth; ls /sys/class/net/${given}/address`
      expect(await inside(domain, made)).toBe(`/sys/class/net/${given}/address\n`)
      await expect(domain.detachDevice(link, { live: true })).rejects.toMatchObject({
        code: 'OPERATION_FAILED',
      })
      expect(existsSync(`/sys/class/net/${given}`)).toBe(false)
      await domain.destroy()
    } finally {
      await run('ip', ['link', 'delete', given]).catch(() => {})
    }
  })

  test('takes nothing of the host away where giving it a link fails or is cancelled', async () => {
    await using bridge = await netnsBridge()
    await using world = await makeWorld()
    await using connection = await world.open()
    const domain = await running(world, connection)
    const link = `<interface type='ethernet'><target dev='${bridge.name}'/></interface>`
    await expect(domain.attachDevice(link)).rejects.toMatchObject({ code: 'OPERATION_FAILED' })
    const cancel = new AbortController()
    const attached = domain.attachDevice(link, { signal: cancel.signal })
    setImmediate(() => cancel.abort())
    await expect(attached).rejects.toThrow()
    await expect(domain.detachDevice(link)).rejects.toThrow()
    expect(existsSync(`/sys/class/net/${bridge.name}`)).toBe(true)
  })

  test('is left as it was, with its definition, by what fails', async () => {
    await using world = await makeWorld()
    await using connection = await world.open()
    const domain = await running(world, connection)
    const xml = await Promise.all([domain.xml(), domain.xml({ inactive: true })])
    const links = await inside(domain, 'ls /sys/class/net')
    const wrong: readonly (readonly [string, string])[] = [
      ['OPERATION_FAILED', "<interface type='bridge'><source bridge='cv-nobridge'/></interface>"],
      // The gateway is not to be reached: the last step of all.
      [
        'OPERATION_FAILED',
        "<interface type='ethernet'><ip address='10.9.8.7' prefix='24'/><route gateway='10.1.1.1'/></interface>",
      ],
      [
        'OPERATION_FAILED',
        "<filesystem type='mount'><source dir='/no/such'/><target dir='/data'/></filesystem>",
      ],
      ['OPERATION_FAILED', tun.replaceAll('/dev/net/tun', '/dev/no-such')],
      [
        'OPERATION_UNSUPPORTED',
        "<filesystem type='template'><source name='/srv'/><target dir='/data'/></filesystem>",
      ],
      ['CONFIG_UNSUPPORTED', "<disk type='block'><source dev='/dev/vda'/><target dev='vda'/></disk>"],
    ]
    for (const [code, device] of wrong)
      await expect(domain.attachDevice(device, both)).rejects.toMatchObject({ code })
    expect(await inside(domain, 'ls /sys/class/net')).toBe(links)
    expect(await Promise.all([domain.xml(), domain.xml({ inactive: true })])).toEqual(xml)
    await domain.destroy()
    await domain.start()
  })

  testWhen(canLimitContainers(), 'may use what it is left, also when it has restarted', async () => {
    await using world = await makeWorld()
    await using connection = await world.open()
    const domain = await running(world, connection)
    const groups = await containerCgroups(await world.initPid(domain))
    const isLegacy = groups.has('memory')
    await domain.setVcpus(2, { config: true, maximum: true })
    await domain.setMemory(49_152)
    await domain.setSchedulerParameters({ shares: 512n, periodUs: 50_000n, quotaUs: 25_000n })
    const memory = () => limit(world, domain, 'memory', isLegacy ? 'memory.limit_in_bytes' : 'memory.max')
    const quota = () => limit(world, domain, 'cpu', isLegacy ? 'cpu.cfs_quota_us' : 'cpu.max')
    expect(await memory()).toBe(String(49_152 * 1024))
    expect(await quota()).toMatch(/^25000/)
    await restarted(world, connection, domain)
    expect(await memory()).toBe(String(49_152 * 1024))
    expect(await quota()).toMatch(/^25000/)
    await domain.setMemoryParameters({ hardLimitKib: 40_960n })
    expect(await memory()).toBe(String(40_960 * 1024))
    await expect(domain.setMemory(8)).rejects.toMatchObject({ code: 'OPERATION_FAILED' })
    expect(await memory()).toBe(String(40_960 * 1024))
    expect(await domain.xml()).toContain("<currentMemory unit='KiB'>49152<")
    await domain.setVcpus(1)
    expect(await limit(world, domain, 'cpuset', 'cpuset.cpus')).toMatch(/^\d+$/)
    await domain.destroy()
    await domain.start()
    expect(await memory()).toBe(String(65_536 * 1024))
  })
})
