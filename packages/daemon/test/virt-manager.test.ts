import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import { open } from 'covirt'
import {
  busyboxRootfs,
  canRunLxc,
  canRunQemu,
  canRunVirtManager,
  describeWhen,
  firmwareGuest,
  tempRoot,
  uniqueName,
} from '../../../test/fixtures/index.js'
import { startDaemon } from './daemon-process.js'

const person = fileURLToPath(new URL('clients/virt-manager.py', import.meta.url))

/** A screen of its own, `:N`. */
async function startScreen(): Promise<{ readonly display: string; readonly server: ChildProcess }> {
  const options = ['-displayfd', '3', '-screen', '0', '1024x768x24', '-nolisten', 'tcp']
  const server = spawn('Xvfb', options, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] })
  const [number] = await once(createInterface(server.stdio[3] as NodeJS.ReadableStream), 'line')
  return { display: `:${number}`, server }
}

async function end(process: ChildProcess): Promise<void> {
  if (process.exitCode !== null || process.signalCode !== null) return
  const ended = once(process, 'exit')
  process.kill()
  await ended
}

// What is called by a name of its own goes down with the session's bus.
const session =
  'virt-manager --no-fork --connect "$1" & manager=$!; trap "kill $manager" EXIT; /usr/bin/python3 "$2" "$3" "$4" "$5"'

describeWhen(canRunLxc() ?? canRunQemu() ?? canRunVirtManager(), 'virt-manager', () => {
  test('shows a container beside a virtual machine, its console and details, and shuts it down', async () => {
    await using root = await tempRoot()
    await using daemon = await startDaemon({ root: root.path, drivers: ['lxc', 'qemu'] })
    await using connection = await open(`covirt:///system?root=${root.path}`)
    const [container, machine] = [uniqueName('container'), uniqueName('machine')]
    await mkdir(root.join('home'))
    const rootfs = await busyboxRootfs(root.join('rootfs'))
    const web = await connection.domains.define(`<domain type='lxc'><name>${container}</name>
      <memory unit='MiB'>32</memory><os><type>exe</type><init>/sbin/init</init></os>
      <devices><filesystem type='mount'><source dir='${rootfs}'/><target dir='/'/></filesystem>
      <console type='pty'/></devices></domain>`)
    await connection.domains.create(`<domain type='qemu'><name>${machine}</name>
      <memory unit='MiB'>32</memory>
      <os><type arch='x86_64' machine='pc'>hvm</type><loader type='rom'>${await firmwareGuest()}</loader></os>
      <devices><serial type='pty'/></devices></domain>`)
    await web.start()
    const screen = await startScreen()
    try {
      const screenshot = join(process.env.COVIRT_SCREENSHOTS ?? root.path, 'virt-manager.png')
      const home = root.join('home')
      const program = spawn(
        'dbus-run-session',
        ['--', 'sh', '-c', session, 'sh', daemon.uri('covirt'), person, container, machine, screenshot],
        {
          env: {
            ...{ PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8', GSETTINGS_BACKEND: 'memory' },
            ...{ DISPLAY: screen.display, HOME: home, XDG_RUNTIME_DIR: home },
          },
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      )
      const said: string[] = []
      const complaints: string[] = []
      createInterface(program.stdout).on('line', (line) => said.push(line))
      createInterface(program.stderr).on('line', (line) => complaints.push(line))
      const off = web.waitFor('shutoff', { signal: AbortSignal.timeout(90_000) })
      const [code] = await once(program, 'exit')

      expect({ code, complaints: code === 0 ? [] : complaints.slice(-40) }).toEqual({
        code: 0,
        complaints: [],
      })
      expect(said.filter((line) => !line.startsWith('SpiRegistry'))).toEqual([
        `listed: ['${container}', 'Running']`,
        `listed: ['${machine}', 'Running']`,
        expect.stringMatching(`opened: ${container} on `),
        'console: a terminal',
        'details: Overview',
        'shut down',
      ])
      await expect(off).resolves.toMatchObject({ reason: 'shutdown' })
      expect((await stat(screenshot)).size).toBeGreaterThan(5000)
    } finally {
      await end(screen.server)
      for (const guest of await connection.domains.list({ active: true })) await guest.destroy()
    }
  }, 120_000)
})
