import { once } from 'node:events'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import {
  canRunLxc,
  canRunQemu,
  describeWhen,
  firmwareGuest,
  type TempRoot,
  tempRoot,
  uniqueName,
} from '../../../test/fixtures/index.js'
import { covirt, covirtProcess, type Outcome, type RunOptions, startCovirt } from './run-covirt.js'

/** Runs command lines on a root of its own: in this process, or with `covirtProcess` each in one of its own. */
function onRoot(root: TempRoot, command: typeof covirt = covirt) {
  const connect = ['-c', `covirt:///system?root=${root.path}`]
  return {
    connect,
    run: (args: readonly string[], options?: RunOptions) => command([...connect, ...args], options),
    json: async (args: readonly string[]) =>
      JSON.parse((await command([...connect, ...args, '--json'])).stdout),
  }
}

const done = (stdout: string): Outcome => ({ code: 0, stdout, stderr: '' })

function containerXml(name: string, rootfs: string): string {
  return `<domain type='lxc'>
  <name>${name}</name>
  <memory unit='MiB'>32</memory>
  <os><type>exe</type><init>/sbin/init</init></os>
  <devices><filesystem type='mount'><source dir='${rootfs}'/><target dir='/'/></filesystem></devices>
</domain>`
}

async function machineXml(name: string): Promise<string> {
  return `<domain type='qemu'>
  <name>${name}</name>
  <memory unit='MiB'>32</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type><loader type='rom'>${await firmwareGuest()}</loader></os>
  <features><acpi/></features>
  <devices><serial type='pty'/><console type='pty'/></devices>
</domain>`
}

describeWhen(canRunLxc(), 'a container, by the command', () => {
  test('is made in one line, lives from one command to the next, and goes without a trace', async () => {
    await using root = await tempRoot()
    const { run, json } = onRoot(root, covirtProcess)
    const name = uniqueName('cli')
    await expect(run(['create-container', name, '--memory', '64M', '--start'])).resolves.toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`Domain '${name}' created and started`),
    })
    await expect(json(['list'])).resolves.toMatchObject([
      { name, type: 'lxc', state: 'running', maxMemoryKib: 65536 },
    ])
    await expect(run(['shutdown', name, '--wait'])).resolves.toEqual(done(`Domain '${name}' is shut off\n`))
    await expect(run(['undefine', name])).resolves.toEqual(done(`Domain '${name}' has been undefined\n`))
    await expect(json(['list', '--all'])).resolves.toEqual([])
  })

  test('is hidden from the users of the host, with all that it may have marked set-user-ID', async () => {
    await using root = await tempRoot()
    const { run } = onRoot(root)
    const name = uniqueName('cli')
    await run(['create-container', name])
    const modeOf = (path: string) => statSync(root.join(path)).mode & 0o777
    expect(modeOf('lib/containers')).toBe(0o700)
    expect(modeOf(`lib/containers/${name}`)).toBe(0o700)
    expect(modeOf(`lib/containers/${name}/rootfs`)).toBe(0o755)
  })

  test('goes with its root file system where one asks for that, so that it can be made again', async () => {
    await using root = await tempRoot()
    const { run } = onRoot(root)
    const name = uniqueName('cli')
    const rootfs = root.join('lib/containers', name, 'rootfs')
    await run(['create-container', name])
    await expect(run(['undefine', name, '--remove-rootfs'])).resolves.toEqual(
      done(`Domain '${name}' has been undefined, and ${rootfs} removed\n`),
    )
    expect(readdirSync(root.join('lib/containers'))).toEqual([])
    await expect(run(['create-container', name])).resolves.toMatchObject({ code: 0 })
  })

  test('keeps its root file system while it is active', async () => {
    await using root = await tempRoot()
    const { run } = onRoot(root)
    const name = uniqueName('cli')
    await run(['create-container', name, '--start'])
    await expect(run(['undefine', name, '--remove-rootfs'])).resolves.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is active'),
    })
    await expect(run(['domstate', name])).resolves.toEqual(done('running\n'))
    expect(existsSync(root.join('lib/containers', name, 'rootfs/sbin/init'))).toBe(true)
    await run(['destroy', name])
  })

  test('keeps a root file system that was made by somebody else', async () => {
    await using root = await tempRoot()
    const { run } = onRoot(root)
    const name = uniqueName('cli')
    await mkdir(root.join('own/rootfs'), { recursive: true })
    const input = containerXml(name, root.join('own/rootfs'))
    await expect(run(['define', '-'], { input })).resolves.toMatchObject({ code: 0 })
    await expect(run(['undefine', name, '--remove-rootfs'])).resolves.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is not one that create-container made'),
    })
    expect(existsSync(root.join('own/rootfs'))).toBe(true)
    await expect(run(['domstate', name])).resolves.toEqual(done('shut off\n'))
  })

  test('keeps a root file system that another domain uses too', async () => {
    await using root = await tempRoot()
    const { run } = onRoot(root)
    const [name, other] = [uniqueName('a'), uniqueName('b')]
    await run(['create-container', name])
    const input = containerXml(other, root.join('lib/containers', name, 'rootfs'))
    await expect(run(['define', '-'], { input })).resolves.toMatchObject({ code: 0 })
    await expect(run(['undefine', name, '--remove-rootfs'])).resolves.toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`Domain '${other}' uses`),
    })
    expect(existsSync(root.join('lib/containers', name, 'rootfs'))).toBe(true)
  })

  test('answers on its console', async () => {
    await using root = await tempRoot()
    const { run, connect } = onRoot(root)
    const name = uniqueName('cli')
    await run(['create-container', name, '--start'])
    const child = startCovirt([...connect, 'console', name])
    child.stdin?.write('echo $((6 * 7))\n')
    let heard = ''
    for await (const chunk of child.stdout ?? []) {
      heard += chunk
      if (/^42\r?$/m.test(heard)) break
    }
    child.stdin?.write('\x1d')
    child.stdout?.resume()
    await expect(once(child, 'close')).resolves.toEqual([0, null])
    await run(['destroy', name])
  })

  test('that cannot be started leaves nothing', async () => {
    await using root = await tempRoot()
    const { run, json } = onRoot(root)
    const name = uniqueName('cli')
    const { code, stderr } = await run(['create-container', name, '--bridge', 'no-such-bridge', '--start'])
    expect(stderr).toMatch(/^error: .*no-such-bridge/)
    expect(code).toBe(1)
    await expect(json(['list', '--all'])).resolves.toEqual([])
    expect(readdirSync(root.join('lib/containers'))).toEqual([])
  })

  test('does not take a name that is in use', async () => {
    await using root = await tempRoot()
    const { run } = onRoot(root)
    const name = uniqueName('cli')
    await run(['create-container', name])
    const { stderr, code } = await run(['create-container', name])
    expect(stderr).toMatch(/exists already/)
    expect(code).toBe(1)
    await expect(run(['domstate', name])).resolves.toEqual(done('shut off\n'))
  })
})

describeWhen(canRunQemu(), 'a virtual machine, by the command', () => {
  test('is defined, started, paused, resumed and shut down by one command after the other', async () => {
    await using root = await tempRoot()
    const { run } = onRoot(root)
    const name = uniqueName('cli')
    await expect(run(['define', '-'], { input: await machineXml(name) })).resolves.toMatchObject({ code: 0 })
    await expect(run(['start', name, '--paused'])).resolves.toEqual(done(`Domain '${name}' started\n`))
    await expect(run(['domstate', name, '--reason'])).resolves.toEqual(done('paused (user)\n'))
    await expect(run(['resume', name])).resolves.toEqual(done(`Domain '${name}' resumed\n`))
    await expect(run(['reset', name])).resolves.toEqual(done(`Domain '${name}' was reset\n`))
    await expect(run(['shutdown', name, '--timeout', '20'])).resolves.toEqual(
      done(`Domain '${name}' is shut off\n`),
    )
    await expect(run(['domstate', name])).resolves.toEqual(done('shut off\n'))
  })

  test('is found by its id', async () => {
    await using root = await tempRoot()
    const { run, json } = onRoot(root)
    const name = uniqueName('cli')
    await run(['create', '-'], { input: await machineXml(name) })
    const [{ id }] = await json(['list'])
    await expect(run(['domname', String(id)])).resolves.toEqual(done(`${name}\n`))
    await expect(run(['destroy', String(id)])).resolves.toEqual(done(`Domain '${name}' destroyed\n`))
  })

  test('is started by as many commands at a time as one likes, which take turns', async () => {
    await using root = await tempRoot()
    const { run, json } = onRoot(root, covirtProcess)
    const names = ['a', 'b', 'c'].map(uniqueName)
    const documents = await Promise.all(names.map(machineXml))
    const outcomes = await Promise.all(
      documents.map((input) => run(['define', '-', '--lock-timeout', '25'], { input })),
    )
    expect(outcomes.map(({ code }) => code)).toEqual([0, 0, 0])
    await expect(json(['list', '--all'])).resolves.toHaveLength(3)
  })
})

describeWhen(canRunLxc() ?? canRunQemu(), 'a host with both', () => {
  test('shows its drivers', async () => {
    await using root = await tempRoot()
    await expect(onRoot(root).json(['drivers'])).resolves.toMatchObject([
      { scheme: 'lxc', available: true, domainTypes: ['lxc'], hypervisors: { liblxc: expect.any(String) } },
      { scheme: 'qemu', available: true, domainTypes: ['qemu', 'kvm'] },
    ])
  })

  test('has the capabilities of both', async () => {
    await using root = await tempRoot()
    const { stdout } = await onRoot(root).run(['capabilities'])
    expect(stdout.match(/<host>/g)).toHaveLength(1)
    expect(stdout).toContain('<os_type>exe</os_type>')
    expect(stdout).toContain('<os_type>hvm</os_type>')
  })
})

/** Resolves once a process owns the root. */
async function held(root: TempRoot): Promise<void> {
  for (;;) {
    const owner = await readFile(root.join('run/owner.lock'), 'utf8').catch(() => '')
    if (owner !== '') return
    await sleep(20)
  }
}

describeWhen(canRunLxc() && canRunQemu(), 'a root that another process holds', () => {
  test('is waited for as long as one says; then the holder is named', async () => {
    await using root = await tempRoot()
    const { connect, run } = onRoot(root)
    const holder = startCovirt([...connect, 'event', '--loop', '--debug'])
    try {
      await held(root)
      const { stderr, code } = await run(['list', '--lock-timeout', '0.1', '--json'])
      expect(JSON.parse(stderr)).toMatchObject({
        error: { code: 'RESOURCE_BUSY', message: expect.stringContaining(String(holder.pid)) },
      })
      expect(code).toBe(1)
    } finally {
      holder.kill('SIGINT')
    }
    await expect(once(holder, 'close')).resolves.toEqual([130, null])
  })
})

describeWhen(canRunLxc() ?? canRunQemu(), 'a container and a virtual machine in one host', () => {
  test('stand in one list, and each has the roles of its driver', async () => {
    await using root = await tempRoot()
    const { run, json } = onRoot(root)
    const [container, machine] = [uniqueName('c'), uniqueName('m')]
    await run(['create-container', container, '--start'])
    await run(['create', '-'], { input: await machineXml(machine) })
    const listed: { id: number; name: string; type: string }[] = await json(['list'])
    expect(listed.map(({ name, type }) => [name, type])).toEqual([
      [container, 'lxc'],
      [machine, 'qemu'],
    ])
    expect(new Set(listed.map(({ id }) => id)).size).toBe(2)
    await expect(run(['reset', machine])).resolves.toMatchObject({ code: 0 })
    await expect(run(['reset', container])).resolves.toMatchObject({
      code: 1,
      stderr: expect.stringContaining("The LXC driver has no role 'reset'"),
    })
    await expect(run(['create', '-'], { input: await machineXml(container) })).resolves.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('in the LXC driver'),
    })
    for (const name of [container, machine]) await run(['destroy', name])
  })
})
