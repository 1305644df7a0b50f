import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { open, type RemoteDriver } from 'covirt'
import { canRunVirsh, describeWhen, type TempRoot, tempRoot } from '../../../test/fixtures/index.js'
import { PasswordFile } from '../src/access/password-file.js'
import { makeAuthority } from './certificates.js'
import { type DaemonProcess, program, startDaemon, virsh } from './daemon-process.js'

const passwords: Readonly<Record<string, string>> = {
  ada: 'the countess',
  alan: 'of bletchley',
  alice: 'in wonderland',
  bob: 'the builder',
  eve: 'of destruction',
}

describeWhen(canRunVirsh(), 'names and passwords', () => {
  let root: TempRoot
  let daemon: DaemonProcess

  beforeAll(async () => {
    root = await tempRoot()
    const authority = await makeAuthority(root.join('pki'))
    const { cert, key } = await authority.issue('server', '/CN=localhost')
    await mkdir(root.join('client'))
    await copyFile(authority.ca, root.join('client/cacert.pem'))
    await mkdir(root.join('covirt/etc'), { recursive: true })
    const file = new PasswordFile(root.join('covirt/etc/passwords.json'))
    for (const [user, password] of Object.entries(passwords)) await file.set(user, password)
    daemon = await startDaemon({
      root: root.join('covirt'),
      config: `
[sockets]
auth = "sasl"

[tcp]
enabled = true
port = 0

[tls]
enabled = true
listen = "127.0.0.1"
port = 0
auth = "sasl"
client_certificates = false
ca = "${authority.ca}"
cert = "${cert}"
key = "${key}"

[[access.rules]]
users = ["sasl:a*"]
role = "operate"

[[access.rules]]
users = ["sasl:bob"]
role = "operate"
`,
    })
    await writeAuthFile('right', passwords.alice ?? '')
    await writeAuthFile('wrong', 'through the looking-glass')
  })

  afterAll(async () => {
    await daemon[Symbol.asyncDispose]()
    await root[Symbol.asyncDispose]()
  })

  /** As libvirt's clients read it. */
  async function writeAuthFile(name: string, password: string): Promise<void> {
    const known = `[credentials-known]\nauthname=alice\nusername=alice\npassword=${password}\n`
    await writeFile(root.join(name), `${known}[auth-libvirt-default]\ncredentials=known\n`)
  }

  async function uriOf(transport: 'tcp' | 'tls', authFile: string): Promise<string> {
    const { listening } = await daemon.logged('covirtd is ready')
    const port = new RegExp(`${transport}:127\\.0\\.0\\.1:(\\d+)`).exec(String(listening))?.[1]
    const query = `authfile=${root.join(authFile)}&pkipath=${root.join('client')}`
    return `test+${transport}://127.0.0.1:${port}/default?${query}`
  }

  async function as(user: string) {
    const uri = (await uriOf('tls', '')).replace(/authfile=[^&]*&/, '')
    return open(uri, { credentials: () => ({ user, password: passwords[user] ?? '' }) })
  }

  test('let virsh in over TLS and over a unix socket, to do what its name may', async () => {
    const listed = { code: 0, stdout: 'test\n', stderr: '' }
    const tls = await uriOf('tls', 'right')
    const since = daemon.log.length
    expect(await virsh(tls, 'list', '--name')).toEqual(listed)
    expect(await virsh(tls, 'suspend', 'test')).toMatchObject({ code: 0 })
    expect(await virsh(tls, 'undefine', 'test')).toMatchObject({ code: 1 })
    const unix = `${daemon.uri('test', { path: '/default' })}&authfile=${root.join('right')}`
    expect(await virsh(unix, 'list', '--name')).toEqual(listed)
    const client = { client: 'sasl:alice', transport: 'tls', role: 'operate' }
    expect(await daemon.logged('A client has connected', since)).toMatchObject(client)
  })

  test('keep virsh out that has the wrong ones', async () => {
    expect(await virsh(await uriOf('tls', 'wrong'), 'list')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('The name or the password is wrong'),
    })
  })

  test('are not sent by virsh over TCP without encryption, but let our own client in', async () => {
    const uri = await uriOf('tcp', 'right')
    expect(await virsh(uri, 'list')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('No worthy mechs found'),
    })
    await using connection = await open(uri)
    expect((await connection.domains.list()).map(({ name }) => name)).toEqual(['test'])
    await expect(open(await uriOf('tcp', 'wrong'))).rejects.toMatchObject({ code: 'AUTH_FAILED' })
  })

  test('are for those alone whom a rule names, and no longer for those whom it named', async () => {
    await expect(as('eve')).rejects.toMatchObject({ code: 'AUTH_FAILED', message: /'sasl:eve'/ })
    await using connection = await as('bob')
    const [domain] = await connection.domains.list()
    await domain?.suspend().catch(() => {})
    const file = join(daemon.root, 'etc/covirtd.toml')
    const text = await readFile(file, 'utf8')
    await writeFile(file, text.replace('"sasl:bob"]\nrole = "operate"', '"sasl:bob"]\nrole = "read"'))
    const since = daemon.log.length
    daemon.signal('SIGHUP')
    await daemon.logged('configuration read anew', since)
    await expect(connection.domains.list()).resolves.toHaveLength(1)
    await expect(domain?.resume()).rejects.toMatchObject({ code: 'ACCESS_DENIED' })
  })

  test.each([
    ['changed', (file: PasswordFile) => file.set('ada', passwords.ada ?? '')],
    ['taken back', (file: PasswordFile) => file.remove('alan')],
  ])('end what was opened with them when they are %s', async (how, change) => {
    await using connection = await as(how === 'changed' ? 'ada' : 'alan')
    const driver = connection.driver as unknown as RemoteDriver
    const away = new Promise<void>((resolve) => {
      driver.onLinkState(({ state }) => state === 'away' && resolve())
    })
    await change(new PasswordFile(join(daemon.root, 'etc/passwords.json')))
    daemon.signal('SIGHUP')
    await away
  })

  test('are kept where nobody else can read them, and as what lets nobody log in', async () => {
    const file = join(daemon.root, 'etc/passwords.json')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    const text = await readFile(file, 'utf8')
    for (const password of Object.values(passwords)) expect(text).not.toContain(password)
  })

  test('are set, listed and taken back', async () => {
    const file = new PasswordFile(root.join('other.json'))
    await file.set('alice', 'one')
    const before = await file.verifierOf('alice')
    await file.set('alice', 'two')
    expect((await file.verifierOf('alice')).storedKey).not.toEqual(before.storedKey)
    expect(await file.users()).toEqual(['alice'])
    expect([await file.remove('alice'), await file.remove('alice')]).toEqual([true, false])
    expect(await file.users()).toEqual([])
  })

  test('are taken from the first line of what the command is given', async () => {
    const args = ['--root', root.join('covirt'), '--set-password', 'late']
    const child = spawn(process.execPath, [program, ...args])
    child.stdin.end('late enough\nand more\n')
    expect(await once(child, 'close')).toEqual([0, null])
    const uri = (await uriOf('tls', '')).replace(/authfile=[^&]*&/, '')
    const opened = open(uri, { credentials: () => ({ user: 'late', password: 'late enough' }) })
    await expect(opened).rejects.toMatchObject({ message: "'sasl:late' may not connect here" })
  })
})
