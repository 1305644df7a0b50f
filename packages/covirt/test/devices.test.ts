import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { beforeEach, describe, expect, test } from '@jest/globals'
import { canRunVirsh, describeWhen } from '../../../test/fixtures/index.js'
import { covirt, onTest } from './run-covirt.js'

const run = promisify(execFile)
let worlds = 0
let uri = ''
beforeEach(() => {
  worlds += 1
  uri = `test:///default?root=devices-${worlds}`
})

const on = (args: readonly string[], input = '') => covirt(['-c', uri, ...args], { input })
const mac = 'aa:bb:cc:dd:ee:ff'

/** A domain with the devices that the `test` of libvirt's own test driver has. */
async function defineMachine(): Promise<void> {
  const xml = `<domain type='test'><name>machine</name><memory unit='MiB'>64</memory><os><type>hvm</type></os><devices>
    <disk type='file' device='disk'><source file='/guest/diskimage1'/><target dev='vda' bus='virtio'/></disk>
    <interface type='network'><mac address='${mac}'/><source network='default'/><target dev='testnet0'/></interface>
    </devices></domain>`
  await on(['define', '-'], xml)
}

describe('a machine of a disk and an interface', () => {
  beforeEach(defineMachine)

  test('has them listed for programs', async () => {
    expect(JSON.parse((await on(['domiflist', 'machine', '--json'])).stdout)).toEqual([
      { type: 'network', source: 'default', target: 'testnet0', mac },
    ])
    expect(JSON.parse((await on(['domblklist', 'machine', '--json'])).stdout)).toEqual([
      { type: 'file', device: 'disk', source: '/guest/diskimage1', target: 'vda' },
    ])
  })

  test('gets another interface, and loses the one that is named by its MAC address', async () => {
    const another = '52:54:00:11:22:33'
    const attached = await on([
      'attach-interface',
      'machine',
      'bridge',
      'br0',
      '--mac',
      another,
      '--model',
      'virtio',
    ])
    expect(attached).toEqual({ code: 0, stdout: 'Interface attached successfully\n', stderr: '' })
    expect((await on(['domiflist', 'machine'])).stdout).toMatch(
      / - +bridge +br0 +virtio +52:54:00:11:22:33$/m,
    )
    const detached = await on(['detach-interface', 'machine', 'network', '--mac', mac.toUpperCase()])
    expect(detached).toEqual({ code: 0, stdout: 'Interface detached successfully\n', stderr: '' })
    expect(JSON.parse((await on(['domiflist', 'machine', '--json'])).stdout)).toMatchObject([
      { mac: another },
    ])
  })

  test('gets another disk, and loses the one whose target is named', async () => {
    const attached = await on(['attach-disk', 'machine', '/dev/sdz', 'vdb', '--mode', 'readonly'])
    expect(attached).toEqual({ code: 0, stdout: 'Disk attached successfully\n', stderr: '' })
    const detached = await on(['detach-disk', 'machine', 'vda'])
    expect(detached).toEqual({ code: 0, stdout: 'Disk detached successfully\n', stderr: '' })
    expect((await on(['domblklist', 'machine', '--details'])).stdout).toMatch(
      /\n block +disk +vdb +\/dev\/sdz\n$/,
    )
  })

  test('loses no disk that it does not have', async () => {
    await expect(on(['detach-disk', 'machine', 'vdx'])).resolves.toMatchObject({ code: 1, stdout: '' })
  })

  test('loses its only interface without more words', async () => {
    await on(['detach-interface', 'machine', 'network', '--config'])
    expect((await on(['domiflist', 'machine', '--json'])).stdout).toBe('[]\n')
  })

  test('keeps its interfaces where it is not said which of them', async () => {
    await on(['attach-interface', 'machine', 'network', 'default'])
    const { code, stderr } = await on(['detach-interface', 'machine', 'network'])
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('choose one with --mac') })
  })

  test.each([
    [['detach-interface', 'machine', 'bridge'], /no bridge interface\n/],
    [['detach-interface', 'machine', 'network', '--mac', '52:54:00:00:00:01'], /with the MAC address 52:54/],
  ])('%j names what there is not', async (args, message) => {
    await expect(on(args)).resolves.toMatchObject({ code: 1, stderr: expect.stringMatching(message) })
  })
})

test('domiflist tells of the guest, or of the definition', async () => {
  await on(['attach-interface', 'test', 'network', 'default', '--config'])
  expect((await on(['domiflist', 'test', '--json'])).stdout).toBe('[]\n')
  expect(JSON.parse((await on(['domiflist', 'test', '--inactive', '--json'])).stdout)).toHaveLength(1)
})

describe('desc', () => {
  test.each([
    [['desc', 'test'], 'No description for domain: test\n'],
    [['desc', 'test', '--title'], 'No title for domain: test\n'],
    [['desc', 'test', 'all', 'of', 'it'], 'Domain description updated successfully\n'],
    [['desc', 'test', '--title', 'it'], 'Domain title updated successfully\n'],
  ])('%j', async (args, stdout) => {
    await expect(onTest(args)).resolves.toEqual({ code: 0, stdout, stderr: '' })
  })

  test('shows what was set, of guest and definition apart, until it is removed', async () => {
    const title = async (...flags: string[]) =>
      JSON.parse((await on(['desc', 'test', '--title', '--json', ...flags])).stdout).title
    await on(['desc', 'test', '--title', '--live', 'of', 'today'])
    await on(['desc', 'test', '--title', '--config', 'for good'])
    expect([await title(), await title('--live'), await title('--config')]).toEqual([
      'of today',
      'of today',
      'for good',
    ])
    await on(['desc', 'test', '--title', '--live', ''])
    expect(await title()).toBeUndefined()
  })

  test('moves no cursor', async () => {
    await on(['desc', 'test', 'a\u009b2Jb\nc'])
    expect((await on(['desc', 'test'])).stdout).toBe('a?2Jb\nc\n')
  })
})

describeWhen(canRunVirsh(), 'beside virsh', () => {
  test('lists and documents are the same', async () => {
    await defineMachine()
    const verbs = [
      ['domiflist'],
      ['domblklist'],
      ['domblklist', '--details'],
      [
        'attach-interface',
        'bridge',
        'br0',
        '--mac',
        mac,
        '--model',
        'virtio',
        '--target',
        'v0',
        '--print-xml',
      ],
      ['attach-disk', '/a.img', 'vdb', '--print-xml'],
      [
        ...[
          'attach-disk',
          '/a.qcow2',
          'sdb',
          '--targetbus',
          'scsi',
          '--driver',
          'qemu',
          '--subdriver',
          'qcow2',
        ],
        ...['--cache', 'none', '--mode', 'readonly', '--type', 'cdrom', '--serial', 's1', '--print-xml'],
      ],
      ['attach-interface', 'direct', 'eth0', '--print-xml'],
    ]
    const lines = verbs.map(([verb, ...rest]) => [verb, 'test', ...rest].join(' '))
    const { stdout } = await run('virsh', ['-q', '-c', 'test:///default', lines.join('; ')])
    const ours: string[] = []
    for (const [verb = '', ...rest] of verbs) ours.push((await on([verb, 'machine', ...rest])).stdout)
    const words = (text: string) =>
      text
        .split('\n')
        .map((line) => line.trim().replace(/ +/g, ' '))
        .filter((line) => line !== '' && !/^-+$|^Interface |^Target |^Type /.test(line))
    expect(words(ours.join('').replaceAll('machine', 'test'))).toEqual(words(stdout))
  })
})
