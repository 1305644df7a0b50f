import { once } from 'node:events'
import { chmod, writeFile } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { type Connection, Connection as ConnectionHandle, parseConnectUri } from '@covirt/core'
import { testProvider } from '@covirt/driver-test'
import { describe, expect, test } from '@jest/globals'
import { tempRoot, uniqueName } from '../../../test/fixtures/index.js'
import { remoteProvider } from '../src/index.js'
import { serve } from './wire-world.js'

const uri = parseConnectUri(`test:///default?root=${uniqueName('transports')}`)
const openTest = () => testProvider.open(uri)

async function open(text: string): Promise<Connection> {
  return new ConnectionHandle(await remoteProvider.open(parseConnectUri(text)))
}

async function program(path: string, text: string): Promise<string> {
  await writeFile(path, `#!/bin/sh\n${text}\n`)
  await chmod(path, 0o755)
  return path
}

/** Leads its input and output to the socket $1, as netcat does. */
const netcat = `exec ${process.execPath} -e 'const s=require("net").connect(process.argv.at(-1));process.stdin.pipe(s).pipe(process.stdout)' -- "$@"`

describe('ssh', () => {
  test('leads to the socket on the other host, through the shell of the user there', async () => {
    await using root = await tempRoot()
    await using served = await serve({ open: openTest })
    const nc = await program(root.join('net cat'), netcat)
    // As sshd does: the words that follow the host are one line for the shell over there.
    const ssh = await program(
      root.join('ssh'),
      'while [ "$1" != -- ]; do shift; done; shift 2; exec sh -c "$*"',
    )
    await using connection = await open(
      `test+ssh://me@host/default?command=${ssh}&netcat=${nc}&socket=${served.socket}`,
    )
    await expect(connection.domains.list()).resolves.toHaveLength(1)
  })

  test('says in its own words why there is no connection', async () => {
    await using root = await tempRoot()
    const ssh = await program(root.join('ssh'), 'echo "ssh: Could not resolve hostname host" >&2; exit 255')
    await expect(open(`test+ssh://host/default?command=${ssh}`)).rejects.toMatchObject({
      code: 'NO_CONNECT',
      message: expect.stringMatching(/Could not resolve hostname/),
    })
  })
})

test('a program of the user leads to the peer', async () => {
  await using root = await tempRoot()
  await using served = await serve({ open: openTest })
  const nc = await program(root.join('nc'), netcat)
  const command = await program(root.join('helper'), `exec ${nc} ${served.socket}`)
  await using connection = await open(`test+ext:///default?command=${command}`)
  await expect(connection.domains.list()).resolves.toHaveLength(1)
})

test('a program that there is not is NO_CONNECT', async () => {
  await expect(open('test+ext:///default?command=/no/such')).rejects.toMatchObject({ code: 'NO_CONNECT' })
})

describe('TLS', () => {
  test('of a peer without a certificate that we trust is refused', async () => {
    await using served = await serve({ open: openTest }, 'tls')
    await using root = await tempRoot()
    await writeFile(root.join('cacert.pem'), '')
    const untrusting = served.uri.replace(/pkipath=.*/, `pkipath=${root.path}`)
    await expect(open(untrusting)).rejects.toMatchObject({ code: 'NO_CONNECT' })
  })

  test('of a peer that does not trust us is refused', async () => {
    await using served = await serve({ open: openTest }, 'tls')
    await using root = await tempRoot()
    await writeFile(root.join('cacert.pem'), '')
    const unknown = served.uri.replace(/pkipath=.*/, `pkipath=${root.path}&no_verify=1`)
    await expect(open(unknown)).rejects.toMatchObject({ code: 'NO_CONNECT' })
  })

  test('without certificates says where they belong', async () => {
    await using root = await tempRoot()
    await expect(open(`test+tls://127.0.0.1:1/default?pkipath=${root.path}`)).rejects.toMatchObject({
      code: 'NO_CONNECT',
      message: expect.stringContaining(root.join('cacert.pem')),
    })
  })
})

test('a connection for reading reads, and is refused what would change something', async () => {
  await using served = await serve({ open: openTest })
  await using connection = await open(`test+unix:///default?readonly&socket=${served.socket}`)
  const domain = await connection.domains.lookupByName('test')
  await expect(domain.state()).resolves.toMatchObject({ state: 'running' })
  await expect(domain.destroy()).rejects.toMatchObject({
    code: expect.stringMatching(/^(OPERATION_DENIED|ACCESS_DENIED)$/),
  })
})

test('a connection that was closed lets go of a peer that takes nothing any more', async () => {
  await using root = await tempRoot()
  await using served = await serve({ open: openTest })
  const ends: Socket[] = []
  const proxy = createServer((near) => {
    const far = connect(served.socket)
    ends.push(near, far)
    far.pipe(near)
    near.pipe(far)
    for (const each of [near, far]) each.on('error', () => {})
  }).listen(root.join('proxy'))
  await once(proxy, 'listening')
  const connection = await open(`test+unix:///default?socket=${root.join('proxy')}`)
  const [near, far] = ends as [Socket, Socket]
  near.unpipe(far).pause()
  // More than the kernel takes for a peer that does not read.
  const huge = connection.domains.define(`<domain type='test'><!--${'x'.repeat(3_000_000)}--></domain>`)
  const closed = once(near, 'close')
  await Promise.all([connection.close(), expect(huge).rejects.toMatchObject({ code: 'OPERATION_ABORTED' })])
  near.resume()
  await closed
  proxy.close()
  far.destroy()
})

test('a socket where nobody listens is NO_CONNECT, and the message names it', async () => {
  await expect(open('test+unix:///default?socket=/no/such')).rejects.toMatchObject({
    code: 'NO_CONNECT',
    message: expect.stringContaining('/no/such'),
  })
})

test('a peer that speaks something else is refused', async () => {
  await using root = await tempRoot()
  const command = await program(root.join('helper'), 'echo "HTTP/1.1 400 Bad Request"; cat >/dev/null')
  await expect(open(`test+ext:///default?command=${command}`)).rejects.toMatchObject({ code: 'NO_CONNECT' })
})
