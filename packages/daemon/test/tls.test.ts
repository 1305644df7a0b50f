import { once } from 'node:events'
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { connect as connectPlain, type Socket } from 'node:net'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { silentLogger } from '@covirt/core'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Connection, open, type RemoteDriver } from 'covirt'
import { canRunVirsh, describeWhen, type TempRoot, tempRoot } from '../../../test/fixtures/index.js'
import { listenTls } from '../src/listen/tls-listener.js'
import { type Authority, makeAuthority } from './certificates.js'
import { type DaemonProcess, run, startDaemon, virsh } from './daemon-process.js'

describeWhen(canRunVirsh(), 'TLS', () => {
  let root: TempRoot
  let authority: Authority
  let daemon: DaemonProcess
  let port: number

  const clients: readonly (readonly [string, string])[] = [
    ['reader', '/C=GB/O=Example/CN=reader'],
    ['operator', '/C=GB/O=Example/CN=operator'],
    ['revoked', '/C=GB/O=Example/CN=revoked'],
    ['leaving', '/C=GB/O=Example/CN=operator'],
    ['stranger', '/C=GB/O=Elsewhere/CN=reader'],
  ]

  beforeAll(async () => {
    root = await tempRoot()
    authority = await makeAuthority(root.join('pki'))
    const server = await authority.issue('server', '/CN=localhost')
    for (const [name, subject] of clients) await pkiPath(authority, name, subject)
    const other = await makeAuthority(root.join('other-pki'))
    await pkiPath(other, 'foreign', '/C=GB/O=Example/CN=reader')
    daemon = await startDaemon({
      config: `
[tls]
enabled = true
listen = "127.0.0.1"
port = 0
ca = "${authority.ca}"
cert = "${server.cert}"
key = "${server.key}"
crl = "${await authority.revoke('revoked')}"
allowed_dns = ["C=GB,O=Example,CN=*"]

[[access.rules]]
dns = ["*,CN=operator"]
role = "operate"

[[access.rules]]
dns = ["*,CN=reader"]
role = "read"
`,
    })
    const { listening } = await daemon.logged('covirtd is ready')
    port = Number(/tls:127\.0\.0\.1:(\d+)/.exec(String(listening))?.[1])
  })

  afterAll(async () => {
    await daemon[Symbol.asyncDispose]()
    await root[Symbol.asyncDispose]()
  })

  /** The directory that libvirt's clients read with `?pkipath=`. */
  async function pkiPath(from: Authority, name: string, subject: string): Promise<void> {
    const directory = root.join(`client-${name}`)
    await mkdir(directory)
    const { cert, key } = await from.issue(name, subject)
    await copyFile(authority.ca, join(directory, 'cacert.pem'))
    await copyFile(cert, join(directory, 'clientcert.pem'))
    await copyFile(key, join(directory, 'clientkey.pem'))
  }

  const uri = (name: string) => `test+tls://127.0.0.1:${port}/default?pkipath=${root.join(`client-${name}`)}`

  test('holds no more connections than there may be clients, whether they have shown a certificate or not', async () => {
    const { cert, key } = await authority.issue('bounded', '/CN=localhost')
    const trusted = { auth: 'none', clientCertificates: true } as const
    const config = { enabled: true, listen: '127.0.0.1', port: 0, ca: authority.ca, cert, key, ...trusted }
    const listener = await listenTls(config, { accept: () => {}, logger: silentLogger, maxConnections: 1 })
    const own = Number(listener.address.split(':').at(-1))
    const first = connectPlain(own, '127.0.0.1')
    await once(first, 'connect')
    const second = connectPlain(own, '127.0.0.1')
    second.on('error', () => {})
    await once(second, 'close')
    expect(first.readyState).toBe('open')
    first.destroy()
    await listener.close()
  })

  test('lets virsh in with a certificate, to do what its name may', async () => {
    await expect(virsh(uri('operator'), 'list', '--name')).resolves.toEqual({
      code: 0,
      stdout: 'test\n',
      stderr: '',
    })
    await expect(virsh(uri('operator'), 'suspend', 'test')).resolves.toMatchObject({ code: 0 })
    await expect(virsh(uri('operator'), 'undefine', 'test')).resolves.toMatchObject({ code: 1 })
    await expect(virsh(uri('reader'), 'domstate', 'test')).resolves.toMatchObject({ stdout: 'paused\n' })
    await expect(virsh(uri('reader'), 'resume', 'test')).resolves.toMatchObject({ code: 1 })
  })

  test.each(['revoked', 'stranger', 'foreign'])(
    'keeps out who has a certificate that is %s',
    async (name) => {
      await expect(virsh(uri(name), 'list')).resolves.toMatchObject({ code: 1 })
    },
  )

  test('says nothing to who has no certificate, or speaks no TLS at all', async () => {
    const ca = await readFile(authority.ca)
    const naked = connect({ host: '127.0.0.1', port, ca })
    naked.on('error', () => {})
    const plain = connectPlain(port, '127.0.0.1', () => plain.write('hello\r\n\r\n'))
    plain.on('error', () => {})
    const heard: Buffer[] = []
    naked.on('data', (bytes: Buffer) => heard.push(bytes))
    await Promise.all([closed(naked), closed(plain)])
    expect(heard).toEqual([])
  })

  test('greets with one byte who is accepted', async () => {
    const [cert, key, ca] = await Promise.all(
      ['clientcert.pem', 'clientkey.pem', 'cacert.pem'].map((name) =>
        readFile(root.join('client-reader', name)),
      ),
    )
    const socket = connect({ host: '127.0.0.1', port, cert, key, ca })
    const [greeting] = (await once(socket, 'data')) as [Buffer]
    expect([...greeting]).toEqual([1])
    socket.destroy()
  })

  test('cuts off whose certificate is revoked while it is connected, and nobody else', async () => {
    const connect = (name: string) => open(uri(name)) as Promise<Connection<RemoteDriver>>
    await using leaving = await connect('leaving')
    await using staying = await connect('reader')
    const states: string[] = []
    staying.driver.onLinkState(({ state }) => states.push(state))
    const away = new Promise<void>((resolve) => {
      leaving.driver.onLinkState(({ state }) => state === 'away' && resolve())
    })
    await authority.revoke('leaving')
    const since = daemon.log.length
    daemon.signal('SIGHUP')
    await away
    await daemon.logged('configuration read anew', since)
    expect((await staying.domains.list()).map(({ name }) => name)).toEqual(['test'])
    expect(states).toEqual([])
  })

  test('takes other certificates when it reads its configuration again', async () => {
    const file = join(daemon.root, 'etc/covirtd.toml')
    const before = await readFile(file, 'utf8')
    await authority.issue('renewed', '/CN=localhost/O=renewed')
    await writeFile(file, before.replace(/server(cert|key)\.pem/g, 'renewed$1.pem'))
    const since = daemon.log.length
    daemon.signal('SIGHUP')
    await daemon.logged('configuration read anew', since)

    const { stdout } = await run('openssl', ['s_client', '-connect', `127.0.0.1:${port}`])

    expect(stdout).toContain('O = renewed')
  })
})

/** Resolves even where an error ends it. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()))
}
