import { once } from 'node:events'
import { libraryVersion, roleNames } from '@covirt/core'
import { describe, expect, test } from '@jest/globals'
import { covirt, covirtProcess, onTest, startCovirt } from './run-covirt.js'

const onDefault = ['-c', 'test:///default']
const uuid = '6695eb01-f6a4-8304-79aa-97f2502e193f'
const xml =
  "<domain type='test'><name>web</name><memory unit='MiB'>64</memory><os><type>hvm</type></os></domain>"

describe('for people', () => {
  test('list shows domains as virsh does', async () => {
    const { stdout, code } = await covirtProcess([...onDefault, 'list'])
    expect(stdout).toBe(
      ' Id   Name   State     Type\n-----------------------------\n 1    test   running   test\n',
    )
    expect(code).toBe(0)
  })

  test.each([
    [['list', '--inactive', '--name'], ''],
    [['list', '--name', '--uuid'], `${uuid} test\n`],
    [['domstate', 'test'], 'running\n'],
    [['domstate', 'test', '--reason'], 'running (booted)\n'],
    [['domid', 'test'], '1\n'],
    [['domuuid', 'test'], `${uuid}\n`],
    [['domname', '1'], 'test\n'],
    [['domname', uuid.toUpperCase()], 'test\n'],
    [['snapshot-create-as', 'test', 'one', 'why'], "Snapshot 'one' of 'test' taken\n"],
    [
      ['snapshot-list', 'test'],
      ' Name   Creation Time   State   Parent   Current\n--------------------------------------------------\n',
    ],
    [['suspend', 'test'], "Domain 'test' suspended\n"],
    [['resume', 'test'], "Domain 'test' resumed\n"],
    [['reboot', 'test'], "Domain 'test' is being rebooted\n"],
    [['reset', 'test'], "Domain 'test' was reset\n"],
    [['destroy', 'test'], "Domain 'test' destroyed\n"],
    [['undefine', 'test'], "Domain 'test' has been undefined\n"],
    [['shutdown', 'test'], "Domain 'test' is being shut down\n"],
    [['shutdown', 'test', '--wait'], "Domain 'test' is shut off\n"],
    [['send-key', 'test', 'KEY_LEFTCTRL', '46'], ''],
    [['inject-nmi', 'test'], ''],
    [['dommemstat', 'test'], 'actual 2097152\nrss 2097152\n'],
    [['setmem', 'test', '1G'], "Domain 'test' was changed\n"],
    [['setvcpus', 'test', '3', '--maximum', '--config'], "Domain 'test' was changed\n"],
    [['vcpucount', 'test'], '2\n'],
    [
      ['schedinfo', 'test', '--shares', '2048', '--live', '--config'],
      'cpu_shares:    2048\nvcpu_period:   100000\nvcpu_quota:    -1\n',
    ],
    [
      ['memtune', 'test', '--soft-limit', '1G'],
      'hard_limit:        unlimited\nsoft_limit:        1048576\nswap_hard_limit:   unlimited\n',
    ],
    [['managedsave', 'test'], "Domain 'test' was saved: its next start goes on from there\n"],
    [['managedsave-remove', 'test'], "The saved state of domain 'test' was removed\n"],
    [['autostart', 'test'], "Domain 'test' marked as autostarted\n"],
    [['autostart', 'test', '--disable'], "Domain 'test' unmarked as autostarted\n"],
  ])('%j', async (args, stdout) => {
    await expect(onTest(args)).resolves.toEqual({ code: 0, stdout, stderr: '' })
  })

  test('a device is given and taken by its XML', async () => {
    const disk = "<disk type='file'><source file='/x'/><target dev='vdz'/></disk>"
    const attach = await onTest(['attach-device', 'test', '-', '--live', '--config'], { input: disk })
    expect(attach).toEqual({ code: 0, stdout: "Domain 'test' was given a device\n", stderr: '' })
    const detach = await onTest(['detach-device', 'test', '-'], { input: disk })
    expect(detach).toMatchObject({ code: 1, stderr: expect.stringContaining('has no <disk> like this') })
  })

  test('domrename renames only what is off', async () => {
    const { code, stderr } = await onTest(['domrename', 'test', 'other'])
    expect(stderr).toMatch(/^error: Domain 'test' is already active/)
    expect(code).toBe(1)
  })

  test.each([
    ['dominfo', /^Name: {11}test$/m],
    ['dominfo', /^Managed save: {3}no$/m],
    ['vcpuinfo', /^VCPU: {7}1$/m],
    ['domstats', /^ {2}state\.state=1$/m],
    ['domstats', /^ {2}balloon\.current=2097152$/m],
    ['dumpxml', /^<domain type='test' id='1'>$/m],
  ])('%s tells about a domain', async (verb, expected) => {
    expect((await onTest([verb, 'test'])).stdout).toMatch(expected)
  })

  test.each([
    ['nodeinfo', /^CPU\(s\): {15}16$/m],
    ['capabilities', /^<capabilities>/m],
    ['version', /^covirt: /m],
    ['hostname', /./],
    ['drivers', /^ test {5}yes/m],
  ])('%s tells about the host', async (verb, expected) => {
    const { code, stdout } = await onTest([verb])
    expect(stdout).toMatch(expected)
    expect(code).toBe(0)
  })

  test('a definition may come through standard input', async () => {
    const { stdout } = await onTest(['define', '-'], { input: xml })
    expect(stdout).toBe("Domain 'web' defined from standard input\n")
  })

  test('a domain may be created paused', async () => {
    const { stdout } = await onTest(['create', '-', '--paused'], { input: xml })
    expect(stdout).toBe("Domain 'web' created from standard input\n")
  })

  test('there are no colours and no progress where nobody watches', async () => {
    const { stdout, stderr } = await onTest(['shutdown', 'test', '--wait'])
    expect(stdout + stderr).not.toContain('\x1b')
  })
})

describe('for programs', () => {
  test('list is an array of domains', async () => {
    const { stdout } = await onTest(['list', '--json'])
    expect(JSON.parse(stdout)).toMatchObject([
      {
        id: 1,
        name: 'test',
        uuid,
        state: 'running',
        reason: 'booted',
        persistent: true,
        cpuTimeNs: expect.stringMatching(/^[0-9]+$/),
      },
    ])
  })

  test.each([
    [['dominfo', 'test'], { name: 'test', state: 'running', vcpus: 2, autostart: false }],
    [['domstate', 'test'], { uuid, state: 'running', reason: 'booted' }],
    [['dumpxml', 'test'], { name: 'test', xml: expect.stringContaining('<domain') }],
    [['destroy', 'test'], { name: 'test', uuid }],
    [['shutdown', 'test', '--wait'], { name: 'test', state: 'shutoff', reason: 'shutdown' }],
    [['nodeinfo'], { cpus: 16 }],
    [['version'], { library: expect.any(String), hypervisors: {} }],
    [['drivers'], [{ scheme: 'test', available: true, roles: [...roleNames] }]],
    [['uri'], { uri: expect.stringContaining('test:///default?root=') }],
    [['completion', 'bash'], { script: expect.stringContaining('complete ') }],
  ])('%j answers in JSON', async (args, expected) => {
    const { stdout, code } = await onTest([...args, '--json'])
    expect(JSON.parse(stdout)).toMatchObject(expected)
    expect(code).toBe(0)
  })

  test('an error is one line of JSON on standard error', async () => {
    const { stdout, stderr, code } = await onTest(['start', 'nobody', '--json'])
    expect(JSON.parse(stderr)).toMatchObject({
      error: { code: 'NO_DOMAIN', number: 42, message: expect.any(String) },
    })
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 })
  })

  test('a command line that makes no sense is such an error too', async () => {
    const { stderr, code } = await onTest(['list', '--sideways', '--json'])
    expect(JSON.parse(stderr)).toMatchObject({
      error: { code: 'INVALID_ARG', message: "unknown option '--sideways'" },
    })
    expect(code).toBe(2)
  })
})

describe('what goes wrong', () => {
  test('says what and how to mend it, and exits with 1', async () => {
    const { stdout, stderr, code } = await covirtProcess([...onDefault, 'start', 'nobody'])
    expect(stderr).toBe(
      "error: There is no domain 'nobody'\nhint:  'covirt list --all' shows the domains that there are\n",
    )
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 })
  })

  test.each([
    [['define', '/nonexistent.xml'], /Cannot read \/nonexistent\.xml/],
    [['-c', 'nowhere:///', 'list'], /No driver answers to 'nowhere:'/],
    [['-c', 'nonsense', 'list'], /not a connection URI/],
    [['-c', 'test://elsewhere/default', 'list'], /pkipath/],
    [['-c', 'covirt:///system?rot=/x', 'list'], /no parameter 'rot'/],
    [['create-container', 'web'], /cannot be made through test:\/\/\/default/],
    [['create-container', '../web'], /no name for a container/],
  ])('%j fails', async (args, message) => {
    const { stderr, code } = await onTest(args)
    expect(stderr).toMatch(message)
    expect(code).toBe(1)
  })

  test('input that is not UTF-8 is no document', async () => {
    const child = startCovirt(['-c', 'test:///default', 'define', '-', '--json'])
    child.stdin?.end(Buffer.from([0x3c, 0xff, 0xfe]))
    const [error] = (await once(child.stderr as NodeJS.ReadableStream, 'data')) as [Buffer]
    expect(JSON.parse(error.toString())).toMatchObject({ error: { code: 'XML_ERROR' } })
  })

  test.each([
    [['sing']],
    [['start']],
    [['list', 'too', 'many']],
    [['shutdown', 'test', '--mode', 'hope']],
    [['shutdown', 'test', '--timeout', 'soon']],
    [['create-container', 'web', '--memory', 'much']],
    [['completion', 'tcsh']],
    [[]],
  ])('%j is a mistake in usage', async (args) => {
    const { stderr, code } = await onTest(args)
    expect(stderr).not.toBe('')
    expect(code).toBe(2)
  })

  test('a mistake in usage ends the process with 2', async () => {
    await expect(covirtProcess(['sing'])).resolves.toMatchObject({ code: 2, stdout: '' })
  })

  test('a guest that does not go off in time is said so', async () => {
    const { stderr, code } = await onTest(['shutdown', 'test', '--timeout', '0'])
    expect(stderr).toMatch(/did not shut down within 0 s/)
    expect(code).toBe(1)
  })
})

describe('a host where no driver can be used', () => {
  const environment = { PATH: '/nonexistent', LD_LIBRARY_PATH: '/nonexistent' }
  const connect = ['-c', 'covirt:///system?root=/dev/null/no']

  test('is no empty list, but an error with the reason of each', async () => {
    const { stdout, stderr, code } = await covirtProcess([...connect, 'list'], { environment })
    expect(stderr).toMatch(/^error: No driver can be used here: lxc: .*; qemu: /)
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 })
  })

  test('has its drivers shown all the same', async () => {
    const { stdout, code } = await covirtProcess([...connect, 'drivers', '--json'], { environment })
    expect(JSON.parse(stdout)).toMatchObject([
      { scheme: 'lxc', available: false, reason: expect.any(String) },
      { scheme: 'qemu', available: false, reason: expect.any(String) },
    ])
    expect(code).toBe(0)
  })
})

describe('help', () => {
  test.each([[['help']], [['--help']], [['list', '--help']], [['help', 'list']]])(
    'of %j is JSON where JSON is asked for',
    async (args) => {
      const { stdout, stderr, code } = await covirt([...args, '--json'])
      expect(JSON.parse(stdout)).toEqual({ help: expect.stringMatching(/^Usage: covirt .*Examples:/s) })
      expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
    },
  )

  test.each(['console', 'event', 'edit'])('of %s says that it keeps the root meanwhile', async (verb) => {
    expect((await covirt(['help', verb])).stdout).toMatch(/one process .* at a time/i)
  })

  test('asked for the version, it says only that', async () => {
    await expect(covirt(['--version'])).resolves.toEqual({
      code: 0,
      stdout: `${libraryVersion}\n`,
      stderr: '',
    })
    const { stdout } = await covirt(['--version', '--json'])
    expect(JSON.parse(stdout)).toEqual({ version: libraryVersion })
  })

  test('names the exit codes and gives examples', async () => {
    const { stdout, code } = await covirt(['--help'])
    expect(stdout).toMatch(/Exit codes:\n.*130 .*Examples:/s)
    expect(code).toBe(0)
  })

  test.each(['list', 'define', 'shutdown', 'create-container', 'completion'])(
    'of %s has examples',
    async (verb) => {
      expect((await covirt(['help', verb])).stdout).toContain('Examples:')
    },
  )
})

describe('the default connection', () => {
  test('is what COVIRT_DEFAULT_URI says', async () => {
    const { stdout } = await covirtProcess(['uri'], { environment: { COVIRT_DEFAULT_URI: 'test:///empty' } })
    expect(stdout).toBe('test:///empty\n')
  })
})

describe('event', () => {
  test('without an event in time fails', async () => {
    const { stderr, code } = await onTest(['event', '--timeout', '0.05'])
    expect(stderr).toMatch(/No event within 0.05 s/)
    expect(code).toBe(1)
  })
})

describe('^C', () => {
  test('ends what waits, with 130', async () => {
    const child = startCovirt(['-c', 'test:///default', 'console', 'test'])
    await once(child.stderr as NodeJS.ReadableStream, 'data')
    child.kill('SIGINT')
    await expect(once(child, 'close')).resolves.toEqual([130, null])
  })

  test('tells programs so', async () => {
    const child = startCovirt(['-c', 'test:///default', 'console', 'test', '--json'])
    child.stdin?.write('x')
    await once(child.stdout as NodeJS.ReadableStream, 'data')
    child.kill('SIGINT')
    const [error] = (await once(child.stderr as NodeJS.ReadableStream, 'data')) as [Buffer]
    expect(JSON.parse(error.toString())).toMatchObject({ error: { code: 'OPERATION_ABORTED' } })
  })
})

describe('a reader that goes away', () => {
  test('is no error', async () => {
    const child = startCovirt(['-c', 'test:///default', 'dumpxml', 'test'])
    child.stdout?.destroy()
    let stderr = ''
    child.stderr?.on('data', (chunk) => {
      stderr += chunk
    })
    await expect(once(child, 'close')).resolves.toEqual([0, null])
    expect(stderr).toBe('')
  })
})
