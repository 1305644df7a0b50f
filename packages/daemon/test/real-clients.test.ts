import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import {
  canRunLxc,
  canRunPythonLibvirt,
  canRunQemu,
  canRunVirtClients,
  describeWhen,
  firmwareGuest,
  goProgram,
  patience,
  uniqueName,
  unpackedClient,
} from '../../../test/fixtures/index.js'
import { type Outcome, run, virsh } from './daemon-process.js'
import { type GuestPair, guestPair, startPair } from './guest-pair.js'

const requirement = canRunLxc() ?? canRunQemu() ?? canRunVirtClients() ?? canRunPythonLibvirt()

/** Waits until somebody has this name on the bus. */
const untilOwned = `import subprocess, sys, time
ask = ['dbus-send', '--system', '--print-reply', '--dest=org.freedesktop.DBus', '/', 'org.freedesktop.DBus.ListNames']
while f'"{sys.argv[1]}"' not in subprocess.run(ask, capture_output=True, text=True).stdout: time.sleep(0.05)`

/** What a display says first, through the descriptor that the daemon passes on. */
const greetingOfDisplay = `import libvirt, socket, sys
domain = libvirt.open('qemu:///system').lookupByName(sys.argv[1])
display = socket.socket(fileno=domain.openGraphicsFD(0))
print(display.recv(12))`

const goSource = fileURLToPath(new URL('clients/go-libvirt.go', import.meta.url))

/** Debian's own, for which its bindings are built. */
const python = '/usr/bin/python3'

describeWhen(requirement, 'clients of libvirt that know nothing of covirt', () => {
  let pair: GuestPair
  let goClient: string
  const children: ChildProcess[] = []

  beforeAll(async () => {
    ;[goClient, pair] = await Promise.all([goProgram(goSource), guestPair()])
    await startPair(pair)
  }, patience(60_000))
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL')
    await pair[Symbol.asyncDispose]()
  })

  /** A command line that runs where the daemon's sockets are libvirt's default ones. */
  const onDefaults = (command: readonly string[]): [string, string[]] => {
    const mounts =
      'mount -t tmpfs none /run && mkdir /run/libvirt && mount --bind "$0" /run/libvirt && exec "$@"'
    return ['unshare', ['--mount', '--propagation', 'private', 'sh', '-c', mounts, pair.libvirt, ...command]]
  }

  const client = (...command: string[]): Promise<Outcome> =>
    run(...onDefaults(command), { environment: { HOME: pair.root.path } })

  /** Runs on until the tests are over. */
  function start(command: readonly string[], environment: NodeJS.ProcessEnv = {}): ChildProcess {
    const child = spawn(...onDefaults(command), {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    children.push(child)
    return child
  }

  const both = () => [pair.container, pair.machine].sort()
  const words = (text: string) => text.split('\n').filter(Boolean).sort()

  test('virsh finds it with no option at all, and by the URI of each kind of guest', async () => {
    const list = async (...connect: string[]) =>
      words((await client('virsh', '-q', ...connect, 'list', '--name')).stdout)
    await expect(list()).resolves.toEqual(both())
    await expect(list('-c', 'covirt:///system')).resolves.toEqual(both())
    await expect(list('-c', 'qemu:///system')).resolves.toEqual([pair.machine])
    await expect(list('-c', 'lxc:///')).resolves.toEqual([pair.container])
    await expect(list('-r', '-c', 'lxc:///system')).resolves.toEqual([pair.container])
  })

  test('Sys::Virt reads what both kinds of guest are', async () => {
    const script = `use Sys::Virt; my $c = Sys::Virt->new(uri => 'covirt:///system');
      for my $d ($c->list_all_domains()) {
        my $i = $d->get_info();
        print join(' ', $d->get_name(), $i->{state} == Sys::Virt::Domain::STATE_RUNNING, $i->{maxMem},
          $d->get_os_type(), $d->is_persistent(), $d->get_xml_description() =~ /<name>(.*)<.name>/), "\n";
      }`
    const { stdout, stderr } = await client('perl', '-e', script)
    expect([stderr, words(stdout)]).toEqual([
      '',
      [
        `${pair.container} 1 32768 exe 1 ${pair.container}`,
        `${pair.machine} 1 32768 hvm 1 ${pair.machine}`,
      ].sort(),
    ])
  })

  test("Python's bindings hear what happens to a container", async () => {
    const script = `import libvirt, sys
libvirt.virEventRegisterDefaultImpl()
connection = libvirt.open('lxc:///system')
domain = connection.lookupByName(sys.argv[1])
heard = []
connection.domainEventRegisterAny(domain, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, lambda c, d, event, detail, _: heard.append(event), None)
domain.suspend()
domain.resume()
while len(heard) < 2: libvirt.virEventRunDefaultImpl()
print(heard, domain.isActive())`
    const { stdout, stderr } = await client(python, '-c', script, pair.container)
    expect([stderr, stdout]).toEqual(['', '[3, 4] 1\n'])
  })

  test('a program in Go switches a container off and on, and is told when it is', async () => {
    const { stdout, stderr } = await client(goClient, 'lxc:///system', pair.container)
    expect([stderr, stdout.split('\n')]).toEqual([
      '',
      [
        'version true',
        `active ${pair.container}`,
        'defined true',
        'off true 1',
        'on true',
        'unknown true',
        '',
      ],
    ])
  })

  test('virt-install makes a virtual machine with all that it adds by itself, whose display is passed on', async () => {
    const name = uniqueName('installed')
    const { code, stderr } = await client(
      ...['virt-install', '--connect', 'qemu:///system', '--name', name, '--memory', '32', '--import'],
      ...['--virt-type', 'qemu', '--arch', 'x86_64', '--osinfo', 'debian11', '--disk', 'none'],
      ...['--network', 'user', '--graphics', 'vnc', '--noautoconsole'],
      ...['--boot', `loader=${await firmwareGuest()},loader.type=rom`],
    )
    expect([code, stderr]).toEqual([0, expect.not.stringContaining('ERROR')])
    const uri = pair.daemon.uri('qemu')
    await expect(virsh(uri, 'domstate', name)).resolves.toMatchObject({ stdout: 'running\n' })
    await expect(client(python, '-c', greetingOfDisplay, name)).resolves.toEqual({
      code: 0,
      stdout: "b'RFB 003.008\\n'\n",
      stderr: '',
    })
    await expect(virsh(uri, 'destroy', name)).resolves.toMatchObject({ code: 0 })
    await expect(virsh(uri, 'undefine', name)).resolves.toMatchObject({ code: 0 })
  })

  test('libvirt-dbus lists each kind at its own object, and pauses a container', async () => {
    const bus = join(pair.root.path, 'bus')
    const config = pair.root.join('bus.conf')
    const mayAll = ['user="*"', 'own="*"', 'send_destination="*"', 'receive_sender="*"']
    await writeFile(
      config,
      `<busconfig><type>system</type><listen>unix:path=${bus}</listen><auth>EXTERNAL</auth>
        <policy context="default">${mayAll.map((each) => `<allow ${each}/>`).join('')}</policy></busconfig>`,
    )
    const environment = {
      DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${bus}`,
      VIRT_DBUS_INTERFACES_DIR: join(await unpackedClient('libvirt-dbus'), 'usr/share/dbus-1/interfaces'),
    }
    const daemon = start(['dbus-daemon', `--config-file=${config}`, '--nofork', '--print-address'])
    await once(createInterface(daemon.stdout as NodeJS.ReadableStream), 'line')
    start([join(await unpackedClient('libvirt-dbus'), 'usr/sbin/libvirt-dbus'), '--system'], environment)
    const send = (...args: string[]) =>
      run('dbus-send', ['--system', '--print-reply', '--dest=org.libvirt', ...args], { environment })
    await run(python, ['-c', untilOwned, 'org.libvirt'], { environment })

    const paths = await Promise.all(
      ['LXC', 'QEMU'].map((kind) =>
        send(`/org/libvirt/${kind}`, 'org.libvirt.Connect.ListDomains', 'uint32:0'),
      ),
    )
    const [container = '', machine = ''] = paths.map(
      ({ stdout }) => /object path "([^"]+)"/.exec(stdout)?.[1] ?? '',
    )
    const name = (path: string) =>
      send(path, 'org.freedesktop.DBus.Properties.Get', 'string:org.libvirt.Domain', 'string:Name')
    await expect(name(container)).resolves.toMatchObject({
      stdout: expect.stringContaining(`"${pair.container}"`),
    })
    await expect(name(machine)).resolves.toMatchObject({
      stdout: expect.stringContaining(`"${pair.machine}"`),
    })
    await expect(send(container, 'org.libvirt.Domain.Suspend')).resolves.toMatchObject({ code: 0 })
    await expect(virsh(pair.daemon.uri('lxc'), 'domstate', pair.container)).resolves.toMatchObject({
      stdout: 'paused\n',
    })
    await expect(send(container, 'org.libvirt.Domain.Resume')).resolves.toMatchObject({ code: 0 })
  })

  test('the exporter for Prometheus counts both kinds', async () => {
    const directory = await unpackedClient('prometheus-libvirt-exporter')
    const port = await freePort()
    start([
      join(directory, 'usr/bin/prometheus-libvirt-exporter'),
      ...['--libvirt.uri', 'covirt:///system', '--web.listen-address', `127.0.0.1:${port}`],
    ])

    const metrics = await scrape(`http://127.0.0.1:${port}/metrics`)

    expect(metrics).toContain('libvirt_up 1\n')
    expect(metrics).toContain('libvirt_domains_number 2\n')
    for (const name of both()) expect(metrics).toContain(`domain="${name}"`)
  })
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** What is said there, once somebody listens. */
async function scrape(url: string): Promise<string> {
  for (;;) {
    try {
      return await (await fetch(url)).text()
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}
