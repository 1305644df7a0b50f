import { execFileSync, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { silentLogger, systemClock } from '@covirt/core'
import { parseDomain } from '@covirt/xml'
import { expect, test } from '@jest/globals'
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
import { randomToken, runToken } from '../../../test/fixtures/run-token.js'
import { imageType } from '../src/host/image-type.js'
import { lxcfsFiles } from '../src/host/lxcfs.js'
import { LxcHypervisor } from '../src/index.js'
import { eventually } from './lxc-fixture.js'

/** Runs `script` in a container with these devices, and answers what it has put into the file `/data/out`. */
async function output(
  script: string,
  {
    devices = () => '',
    lxcfs,
    elements = '',
    check = () => true,
  }: {
    readonly devices?: (root: string) => string
    readonly lxcfs?: string
    readonly elements?: string
    /** What must be so before it is ended. */
    readonly check?: () => boolean
  } = {},
): Promise<string> {
  await using root = await tempRoot()
  const rootfs = await busyboxRootfs(root.join('rootfs'))
  const data = root.join('data')
  for (const directory of [data, root.join('run'), root.join('state')]) await mkdir(directory)
  const hypervisor = await LxcHypervisor.open({
    containersDirectory: root.join('containers'),
    idRanges: { own: root.join('id-ranges'), host: root.join('host-id-ranges') },
    version: '5.0',
    ...(lxcfs === undefined ? {} : { lxcfs }),
  })
  const name = uniqueName('dev')
  const uuid = '3d1cf5b6-43c0-4f4c-a0f5-8a3f4f2b7c12'
  const document = hypervisor.prepare(
    parseDomain(`<domain type='lxc'><name>${name}</name><uuid>${uuid}</uuid><memory unit='MiB'>64</memory>${elements}
      <os><type>exe</type><init>/bin/sh</init><initarg>-c</initarg><initarg>(${script}) &gt; /data/part 2&gt;&amp;1; mv /data/part /data/out; sleep 1000</initarg></os>
      <devices><filesystem type='mount'><source dir='${rootfs}'/><target dir='/'/></filesystem>
      <filesystem type='mount'><source dir='${data}'/><target dir='/data'/></filesystem>${devices(root.path)}</devices></domain>`),
  )
  const quiet = () => {}
  const guest = await hypervisor.launch(
    {
      domain: { name, uuid, id: 1 },
      document,
      places: {
        runDirectory: root.join('run'),
        stateDirectory: root.join('state'),
        logFile: root.join('log'),
      },
      sink: {
        ended: quiet,
        exited: quiet,
        rebooted: quiet,
        phaseChanged: quiet,
        agentChanged: quiet,
        changed: quiet,
        devicesChanged: quiet,
      },
      clock: systemClock,
      logger: silentLogger,
      paused: false,
    },
    {},
  )
  try {
    await eventually(() => existsSync(`${data}/out`) || undefined)
    await eventually(() => check() || undefined)
    return readFileSync(`${data}/out`, 'utf8')
  } finally {
    await guest.kill()
    await hypervisor.close()
  }
}

/** A link of the host that goes away with the test. */
async function hostLink(): Promise<{ readonly name: string } & AsyncDisposable> {
  const [name, peer] = ['g', 'p'].map((end) => `cv${runToken()}${randomToken(4)}${end}`) as [string, string]
  execFileSync('ip', ['link', 'add', name, 'type', 'veth', 'peer', 'name', peer])
  return {
    name,
    [Symbol.asyncDispose]: async () => void execFileSync('ip', ['link', 'delete', name]),
  }
}

describeWhen(canRunLxc(), 'a container', () => {
  test('has an image as a file system, which is free when it has gone', async () => {
    let image = ''
    const text = await output('cat /image/hello; touch /image/made; stat -c %u /image/made', {
      devices: (root) => {
        image = `${root}/image`
        execFileSync('mkdir', [`${root}/content`])
        execFileSync('sh', ['-c', 'echo hello > "$1/content/hello"', '-', root])
        execFileSync('mke2fs', ['-q', '-t', 'ext4', '-d', `${root}/content`, image, '8M'])
        return `<filesystem type='file'><driver type='loop' format='raw'/><source file='${image}'/><target dir='/image'/></filesystem>`
      },
    })
    expect(text).toBe('hello\n0\n')
    expect(execFileSync('losetup', ['-j', image], { encoding: 'utf8' })).toBe('')
  })

  test('has routes, and links over and of the host, which has its own again afterwards', async () => {
    await using bridge = await netnsBridge()
    await using parent = await netnsBridge()
    await using given = await hostLink()
    const routes = `<route address='10.2.0.0' prefix='16' gateway='10.93.0.1' metric='7'/><route gateway='10.93.0.1'/>
      <route family='ipv6' address='fd93:1::' prefix='32' gateway='fd93::1'/>`
    const text = await output(
      'ip route; ip -6 route | grep via; ls /sys/class/net; cat /proc/self/timens_offsets',
      {
        elements:
          "<metadata><c:container xmlns:c='urn:covirt:lxc:1'><c:time boot='3600'/></c:container></metadata>",
        devices: () => `<interface type='bridge'><source bridge='${bridge.name}'/>
          <ip address='10.93.0.2' prefix='24'/><ip address='fd93::2' prefix='64'/>${routes}</interface>
          <interface type='direct'><source dev='${parent.name}' mode='bridge'/><guest dev='over'/></interface>
          <hostdev mode='capabilities' type='net'><source><interface>${given.name}</interface></source></hostdev>`,
      },
    )
    expect(text).toMatch(/^default via 10\.93\.0\.1 dev eth0/m)
    expect(text).toMatch(/^10\.2\.0\.0\/16 via 10\.93\.0\.1 dev eth0 .*metric 7/m)
    expect(text).toMatch(/^fd93:1::\/32 via fd93::1 dev eth0/m)
    expect(text).toMatch(new RegExp(`^${given.name}$`, 'm'))
    expect(text).toMatch(/^over$/m)
    expect(text).toMatch(/^boottime +3600 +0$/m)
    await eventually(() => existsSync(`/sys/class/net/${given.name}`) || undefined)
  })

  test('with a route that leads nowhere does not start, and says why', async () => {
    await using bridge = await netnsBridge()
    const devices = () => `<interface type='bridge'><source bridge='${bridge.name}'/>
      <route address='10.2.0.0' prefix='16' gateway='10.93.0.1'/></interface>`
    await expect(output('true', { devices })).rejects.toMatchObject({
      code: 'OPERATION_FAILED',
      hint: expect.stringContaining('<route'),
    })
  })

  test('writes its console where its definition says, anew at each start', async () => {
    let log = ''
    const text = await output('echo said > /dev/console; echo done', {
      devices: (root) => {
        log = `${root}/said`
        execFileSync('sh', ['-c', 'echo before > "$1"', '-', log])
        return `<console type='pty'><log file='${log}'/></console>`
      },
      check: () => readFileSync(log, 'utf8') === 'said\r\n',
    })
    expect(text).toBe('done\n')
  })

  test('has a device that it is given, and no other', async () => {
    const text = await output('stat -c "%t:%T %u" /dev/net/tun; test -e /dev/loop-control || echo no', {
      devices: () =>
        "<hostdev mode='capabilities' type='misc'><source><char>/dev/net/tun</char></source></hostdev>",
    })
    expect(text).toBe('a:c8 0\nno\n')
  })

  testWhen(
    canLimitContainers() ?? (existsSync('/usr/bin/lxcfs') ? undefined : 'lxcfs: is not installed'),
    'sees its own memory where lxcfs runs',
    async () => {
      await using place = await tempRoot()
      const lxcfs = place.join('lxcfs')
      await mkdir(lxcfs)
      const server = spawn('/usr/bin/lxcfs', ['-f', '-p', place.join('pid'), lxcfs], { stdio: 'ignore' })
      const ended = new Promise((resolve) => server.once('exit', resolve))
      try {
        await eventually(() => existsSync(`${lxcfs}/proc/meminfo`) || undefined)
        expect(await output('grep MemTotal /proc/meminfo', { lxcfs })).toMatch(/^MemTotal: +65536 kB$/m)
      } finally {
        server.kill('SIGTERM')
        await ended
      }
    },
  )
})

test('File systems are told by their superblocks', () => {
  const head = Buffer.alloc(0x10048)
  expect(imageType(head)).toBeUndefined()
  head.write('_BHRfS_M', 0x10040)
  expect(imageType(head)).toBe('btrfs')
  head.writeUInt16LE(0xef53, 0x438)
  expect(imageType(head)).toBe('ext4')
})

test('Without lxcfs a container sees what the host has', async () => {
  await using place = await tempRoot()
  await writeFile(place.join('file'), '')
  expect(lxcfsFiles(place.path).size).toBe(0)
})
