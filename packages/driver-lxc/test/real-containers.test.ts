import { existsSync, readdirSync, statSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Connection, Domain } from '@covirt/core'
import { afterAll, expect, test } from '@jest/globals'
import {
  busyboxRootfs,
  canLimitContainers,
  canRunLxc,
  describeWhen,
  netnsBridge,
  tempRoot,
  testWhen,
  uniqueName,
} from '../../../test/fixtures/index.js'
import { expectMachineUnchanged, machineState } from '../../../test/fixtures/machine-state.js'
import { runToken } from '../../../test/fixtures/run-token.js'
import { processIdentity } from '../src/host/processes.js'
import { containerCgroups, openConsole, start, stop } from '../src/native.js'
import { eventually, LxcWorld, privileged, removeRootfs } from './lxc-fixture.js'

afterAll(removeRootfs)

/** A connection with a root file system of its own for one test. */
class Place implements AsyncDisposable {
  readonly world: LxcWorld
  readonly connection: Connection
  readonly rootfs: string
  readonly #rootfsDirectory: AsyncDisposable

  private constructor(world: LxcWorld, connection: Connection, rootfs: string, directory: AsyncDisposable) {
    this.world = world
    this.connection = connection
    this.rootfs = rootfs
    this.#rootfsDirectory = directory
  }

  static async make(): Promise<Place> {
    const directory = await tempRoot()
    const rootfs = await busyboxRootfs(directory.join('rootfs'))
    const world = await LxcWorld.make()
    return new Place(world, await world.open(), rootfs, directory)
  }

  define(
    options: { os?: string; elements?: string; devices?: string; rootfs?: string } = {},
  ): Promise<Domain> {
    const { os = '<init>/sbin/ctinit</init>', elements = '', devices = '', rootfs = this.rootfs } = options
    return this.connection.domains.define(`<domain type='lxc'><name>${uniqueName('real')}</name>
      <memory unit='MiB'>64</memory>${elements}<os><type>exe</type>${os}</os>
      <devices><filesystem type='mount'><source dir='${rootfs}'/><target dir='/'/></filesystem>${devices}</devices></domain>`)
  }

  async running(options?: Parameters<Place['define']>[0]): Promise<Domain> {
    const domain = await this.define(options)
    await domain.start()
    await this.world.ready(domain)
    return domain
  }

  /** The content of a file of the container, once a program in it has written a whole line. */
  async written(path: string): Promise<string> {
    return eventually(async () => {
      const text = await readFile(join(this.rootfs, path), 'utf8').catch(() => '')
      return text.endsWith('\n') ? text : undefined
    })
  }

  /** Lets ctinit run this as it boots. */
  async atBoot(script: string): Promise<void> {
    await writeFile(join(this.rootfs, 'etc/rc'), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const domain of await this.connection.domains.list({ active: true })) await domain.destroy()
    await this.connection.close()
    await this.world[Symbol.asyncDispose]()
    await this.#rootfsDirectory[Symbol.asyncDispose]()
  }
}

/** Runs `body`, and expects that no container of this file leaves anything: other files are at work meanwhile. */
async function leavesNothing(body: () => Promise<void>): Promise<void> {
  const before = machineState()
  await body()
  await expectMachineUnchanged(before, { token: `cv-${runToken()}-real-` })
}

describeWhen(canRunLxc(), 'a real container', () => {
  test('with busybox init shuts down cleanly', async () => {
    await using place = await Place.make()
    const domain = await place.running({ os: '<init>/sbin/init</init>' })
    await domain.shutdown()
    await domain.waitFor('shutoff')
    expect(await place.written('var/log/stops')).toBe('FX-CLEAN-STOP\n')
  })

  test('with busybox init restarts when asked to', async () => {
    await using place = await Place.make()
    const domain = await place.running({ os: '<init>/sbin/init</init>' })
    await domain.reboot()
    await eventually(async () =>
      (await place.written('var/log/boots')).split('\n').length > 2 ? true : undefined,
    )
    expect(await domain.state()).toMatchObject({ state: 'running' })
  })

  test('gives its program arguments, environment and directory', async () => {
    await using place = await Place.make()
    await writeFile(
      join(place.rootfs, 'bin/tell'),
      '#!/bin/sh\necho "$1|$2|$A|$(pwd)|$container" > /out\nsleep 1000\n',
      {
        mode: 0o755,
      },
    )
    const domain = await place.define({
      os: `<init>/bin/tell</init><initarg>it's</initarg><initarg>a"b"</initarg>
        <initenv name='A'> x "y" </initenv><initdir>/tmp</initdir>`,
    })
    await domain.start()
    expect(await place.written('out')).toBe('it\'s|a"b"| x "y" |/tmp|lxc\n')
  })

  test('gives its program arguments with blanks and quotes, also when it restarts', async () => {
    await using place = await Place.make()
    const script = 'echo "[a  \'b\'|$1|$#]" >> /out; trap "exit 0" TERM; while :; do sleep 0.01; done'
    const domain = await place.define({
      os: `<init>/bin/sh</init><initarg>-c</initarg><initarg>${script}</initarg>
        <initarg>sh</initarg><initarg> "it's"  </initarg>`,
    })
    const line = `[a  'b'| "it's"  |1]\n`
    await domain.start()
    expect(await place.written('out')).toBe(line)
    await domain.reboot()
    await eventually(async () => ((await place.written('out')) === line + line ? true : undefined))
  })

  test('that is started paused does nothing before it is resumed', async () => {
    await using place = await Place.make()
    const out = join(place.rootfs, 'out')
    const domain = await place.define({
      os: '<init>/bin/sh</init><initarg>-c</initarg><initarg>echo started > /out; exec sleep 1000</initarg>',
    })
    for (let round = 0; round < 20; round++) {
      await domain.start({ paused: true })
      expect(existsSync(out)).toBe(false)
      await domain.resume()
      expect(await place.written('out')).toBe('started\n')
      await domain.destroy()
      await rm(out)
    }
  })

  test('that was started paused runs on when it restarts', async () => {
    await using place = await Place.make()
    const domain = await place.define()
    await domain.start({ paused: true })
    await domain.resume()
    await place.world.ready(domain)
    await domain.reboot()
    await eventually(async () =>
      (await place.written('var/log/boots')) === 'boot\nboot\n' ? true : undefined,
    )
    expect(await domain.state()).toMatchObject({ state: 'running' })
  })

  test('that something else has started is left alone', async () => {
    await using place = await Place.make()
    const domain = await place.running()
    const container = { path: join(place.world.path, 'lib/lxc/containers'), name: domain.name }
    const config = join(container.path, container.name, 'config')
    const text = await readFile(config, 'utf8')
    await domain.destroy()
    await mkdir(dirname(config))
    await writeFile(config, text.replace(/^lxc\.seccomp.*$/m, ''))
    const { initPid } = await start(container)
    await expect(domain.start()).rejects.toMatchObject({
      message: expect.stringContaining('running already'),
    })
    expect(processIdentity(initPid)?.alive).toBe(true)
    expect(existsSync(config)).toBe(true)
    await stop(container)
    await rm(dirname(config), { recursive: true })
  })

  testWhen(canLimitContainers(), 'has the limits of its definition', async () => {
    await using place = await Place.make()
    const domain = await place.running({
      elements: `<vcpu cpuset='0'>1</vcpu><cputune><shares>512</shares><quota>50000</quota></cputune>
        <numatune><memory mode='strict' nodeset='0'/></numatune>`,
    })
    const groups = await containerCgroups(await place.world.initPid(domain))
    const memory = groups.get('memory')
    const limit =
      memory === undefined ? join(groups.get('') ?? '', 'memory.max') : join(memory, 'memory.limit_in_bytes')
    expect((await readFile(limit, 'utf8')).trim()).toBe(String(64 * 1024 * 1024))
  })

  test('is on its bridge, with the address and the MAC of its definition', async () => {
    await using place = await Place.make()
    await using bridge = await netnsBridge()
    await place.atBoot('ip addr show lan > /out; echo >> /out')
    const domain = await place.running({
      devices: `<interface type='bridge'><mac address='52:54:00:aa:bb:cc'/><source bridge='${bridge.name}'/>
        <guest dev='lan'/><ip address='10.91.0.2' prefix='16'/></interface>`,
    })
    const out = await place.written('out')
    expect(out).toContain('52:54:00:aa:bb:cc')
    expect(out).toContain('10.91.0.2/16')
    const name = /<target dev='([^']+)'|<target dev="([^"]+)"/.exec(await domain.xml())
    expect(readdirSync(`/sys/class/net/${bridge.name}/brif`)).toEqual([name?.[1] ?? name?.[2]])
    await domain.destroy()
    expect(readdirSync(`/sys/class/net/${bridge.name}/brif`)).toEqual([])
  })

  test('is counted: its NICs from its side, and the memory of all that runs in it', async () => {
    await using place = await Place.make()
    await using bridge = await netnsBridge()
    await place.atBoot('ping -c 1 -W 1 10.92.0.1; ip link > /out; echo >> /out')
    const domain = await place.running({
      devices: `<interface type='bridge'><source bridge='${bridge.name}'/><ip address='10.92.0.2' prefix='16'/></interface>`,
    })
    await place.written('out')
    const { interfaces = [], memory, blocks } = await domain.statistics()
    expect(interfaces.map(({ target }) => target)).toEqual(readdirSync(`/sys/class/net/${bridge.name}/brif`))
    expect(interfaces[0]?.sentPackets).toBeGreaterThan(0n)
    expect(memory?.residentKib).toBeGreaterThan(0n)
    expect(blocks).toEqual([])
  })

  test('has a network without links where it names none', async () => {
    await using place = await Place.make()
    await place.atBoot('ls /sys/class/net > /out')
    await place.running()
    expect(await place.written('out')).toBe('lo\n')
  })

  test('restarts also while its console is open, and that ends', async () => {
    await using place = await Place.make()
    const domain = await place.running()
    const stream = await domain.openConsole()
    const closed = new Promise((resolve) => stream.once('close', resolve))
    const rebooted = new Promise<void>((resolve) => {
      place.connection.driver.subscribe(({ type }) => type === 'reboot' && resolve())
    })
    stream.resume()
    await domain.reboot()
    await Promise.all([rebooted, closed])
    expect(await domain.state()).toMatchObject({ state: 'running' })
    // A third time where liblxc's own attempt, which fails, has come as far as init.
    await eventually(async () =>
      (await place.written('var/log/boots')).startsWith('boot\nboot\n') ? true : undefined,
    )
  })

  test('fills no disk with what it prints, and its last lines are kept', async () => {
    await using place = await Place.make()
    const script =
      'while [ $((i += 1)) -le 40000 ]; do echo "$i a line of a hundred bytes, or nearly so, to fill the log with"; done; echo LAST; exec sleep 1000'
    const os = `<init>/bin/sh</init><initarg>-c</initarg><initarg>${script.replace('<', '&lt;')}</initarg>`
    const domain = await place.define({ os })
    const log = join(place.world.path, 'log/lxc', `${domain.name}.log`)
    const limit = 1024 * 1024
    await mkdir(dirname(log), { recursive: true })
    await writeFile(log, Buffer.alloc(limit + 1, '.'))
    await domain.start()
    await eventually(async () => ((await place.world.consoleLog(domain)).includes('LAST') ? true : undefined))
    const sizes = [statSync(log).size, statSync(`${log}.1`).size]
    expect(Math.max(...sizes)).toBeLessThanOrEqual(limit)
    expect(readdirSync(dirname(log)).sort()).toEqual([`${domain.name}.log`, `${domain.name}.log.1`])
  })

  test('makes no devices but those that it may use', async () => {
    await using place = await Place.make()
    await place.atBoot(
      'mknod /null c 1 3; mknod /disk b 8 0; mknod /mem c 1 1; ls -d /null /disk /mem > /out 2>/dev/null',
    )
    await place.running({ elements: privileged })
    expect(await place.written('out')).toBe('/null\n')
  })

  test('whose console somebody else has refuses to open it', async () => {
    await using place = await Place.make()
    const domain = await place.running()
    const path = join(place.world.path, 'lib/lxc/containers')
    const other = await openConsole({ path, name: domain.name })
    await expect(domain.openConsole()).rejects.toMatchObject({ code: 'OPERATION_FAILED' })
    other.close()
  })

  test('whose init is killed has crashed', async () => {
    await using place = await Place.make()
    const domain = await place.running()
    await place.world.kill(domain)
    expect(await domain.waitFor('shutoff')).toEqual({ state: 'shutoff', reason: 'crashed' })
  })

  test('whose end nobody has noticed yet is told not to run, whatever it is asked for', async () => {
    await using place = await Place.make()
    const domain = await place.running()
    const pid = await place.world.initPid(domain)
    process.kill(pid, 'SIGKILL')
    // Without a turn of the event loop, so that nobody can be told.
    for (let init = processIdentity(pid); init?.alive && !init.exiting; ) init = processIdentity(pid)
    const asked = [domain.exec(['/bin/true']), domain.listProcesses(), domain.statistics()]
    // Its monitor may still show its console, and until it has waited for init, signals go nowhere without an error.
    const maybe = [domain.openConsole(), domain.shutdown()]
    const notRunning = { code: 'OPERATION_INVALID', message: `${domain.name} is not running` }
    for (const outcome of await Promise.allSettled(asked))
      expect(outcome).toMatchObject({ status: 'rejected', reason: notRunning })
    for (const outcome of await Promise.allSettled(maybe))
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject(notRunning)
    await domain.waitFor('shutoff')
  })

  test('whose monitor is killed is noticed, and leaves nothing', async () => {
    await using place = await Place.make()
    await leavesNothing(async () => {
      const domain = await place.running()
      const status = await readFile(join(place.world.path, 'run/lxc', `${domain.name}.json`), 'utf8')
      process.kill(Number(/"monitorPid": ?(\d+)/.exec(status)?.[1]), 'SIGKILL')
      await domain.waitFor('shutoff')
      await domain.undefine()
    })
  })

  test('whose program ends by itself has shut down', async () => {
    await using place = await Place.make()
    const domain = await place.define({ os: '<init>/bin/sleep</init><initarg>0.3</initarg>' })
    await domain.start()
    expect(await domain.waitFor('shutoff')).toEqual({ state: 'shutoff', reason: 'shutdown' })
  })

  test.each([
    ['root file system', { rootfs: '/nonexistent/rootfs' }, '/nonexistent/rootfs'],
    ['init', { os: '<init>/sbin/missing</init>' }, '/sbin/missing'],
    [
      'bridge',
      { devices: "<interface type='bridge'><source bridge='cvnobridge'/></interface>" },
      'cvnobridge',
    ],
    [
      'mounted directory',
      { devices: "<filesystem type='mount'><source dir='/nonexistent/x'/><target dir='/x'/></filesystem>" },
      '/nonexistent/x',
    ],
  ])('without its %s does not start, says so, and leaves nothing', async (_, options, named) => {
    await using place = await Place.make()
    await leavesNothing(async () => {
      const domain = await place.define(options)
      await expect(domain.start()).rejects.toMatchObject({
        code: 'OPERATION_FAILED',
        message: expect.stringContaining(named),
        hint: expect.stringMatching(/\S/),
      })
      await domain.undefine()
    })
  })

  test('whose init cannot be executed does not start, says so, and leaves nothing', async () => {
    await using place = await Place.make()
    await writeFile(join(place.rootfs, 'sbin/broken'), '#!/sbin/missing\n', { mode: 0o755 })
    await leavesNothing(async () => {
      const domain = await place.define({ os: '<init>/sbin/broken</init>' })
      await expect(domain.start()).rejects.toMatchObject({ name: 'VirError', code: 'OPERATION_FAILED' })
      await domain.undefine()
    })
  })

  test('whose init ends at once does not start and says so, or has run for a moment', async () => {
    await using place = await Place.make()
    await leavesNothing(async () => {
      const domain = await place.define({ os: '<init>/bin/true</init>' })
      for (let round = 0; round < 10; round++) {
        const refusal = await domain.start().then(
          () => undefined,
          (error: unknown) => error,
        )
        if (refusal !== undefined) {
          expect(refusal).toMatchObject({
            code: 'OPERATION_FAILED',
            message: `The init of ${domain.name}, /bin/true, ended as soon as it was started`,
            hint: expect.stringMatching(/\S/),
          })
        }
        await domain.waitFor('shutoff')
      }
      await domain.undefine()
    })
  })

  test('leaves nothing when it was started, frozen, restarted and destroyed', async () => {
    await using place = await Place.make()
    await using bridge = await netnsBridge()
    await leavesNothing(async () => {
      const domain = await place.running({
        devices: `<interface type='bridge'><source bridge='${bridge.name}'/></interface>`,
      })
      await domain.suspend()
      await domain.resume()
      await domain.destroy()
      await domain.start()
      await domain.suspend()
      await domain.destroy()
      await domain.undefine()
    })
  })

  test('costs two descriptors and no thread each', async () => {
    await using place = await Place.make()
    const usage = () => ({
      fds: readdirSync('/proc/self/fd').length,
      threads: readdirSync('/proc/self/task').length,
    })
    const domains = await Promise.all(Array.from({ length: 10 }, () => place.define()))
    await domains[0]?.start()
    const before = usage()
    for (const domain of domains.slice(1)) await domain.start()
    const after = usage()
    expect(after.threads).toBe(before.threads)
    expect(after.fds - before.fds).toBeLessThanOrEqual(2 * 9)
  })
})
