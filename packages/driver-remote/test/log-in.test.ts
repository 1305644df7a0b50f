import { chmod, writeFile } from 'node:fs/promises'
import { Connection, type Credentials, FakeClock, type OpenOptions, parseConnectUri } from '@covirt/core'
import { testProvider } from '@covirt/driver-test'
import { makeScramVerifier, type ScramVerifier, scramVerifierOfNobody } from '@covirt/protocol'
import type { ServerOptions } from '@covirt/server'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { type TempRoot, tempRoot, uniqueName } from '../../../test/fixtures/index.js'
import { readAuthFile } from '../src/auth/auth-file.js'
import { remoteProvider } from '../src/index.js'
import { type Served, serve } from './wire-world.js'

const uri = parseConnectUri(`test:///default?root=${uniqueName('log-in')}`)
const alice: Credentials = { user: 'alice', password: 'in wonderland' }

let verifier: ScramVerifier

beforeAll(async () => {
  verifier = await makeScramVerifier(alice.password, { iterations: 4096 })
})

/** A server that lets in alice alone. */
function guarded(transport?: 'tls'): Promise<Served> {
  const options: ServerOptions = {
    open: () => testProvider.open(uri),
    verifierOf: (user) => (user === alice.user ? verifier : scramVerifierOfNobody(Buffer.alloc(32), user)),
    policy: ({ name }) => (name === 'sasl:alice' ? { role: 'admin' } : undefined),
  }
  return serve(options, transport)
}

async function open(text: string, options?: OpenOptions): Promise<Connection> {
  return new Connection(await remoteProvider.open(parseConnectUri(text), options))
}

async function authFile(root: TempRoot, { user, password }: Partial<Credentials>): Promise<string> {
  const path = root.join('auth.conf')
  const lines = ['# of libvirt', '[credentials-here]', ...(user ? [`authname=${user}`] : [])]
  if (password) lines.push(` password = ${password} `)
  await writeFile(path, [...lines, '', '[auth-libvirt-default]', 'credentials=here', ''].join('\n'))
  await chmod(path, 0o600)
  return path
}

describe('a peer that wants to know who we are', () => {
  test('lets us in with what a file says', async () => {
    await using root = await tempRoot()
    await using served = await guarded()
    await using connection = await open(`${served.uri}&authfile=${await authFile(root, alice)}`)
    await expect(connection.domains.list()).resolves.toHaveLength(1)
  })

  test('lets us in with what we are asked for, also when the connection is made again', async () => {
    await using served = await guarded()
    const asked: unknown[] = []
    const credentials: OpenOptions['credentials'] = (request) => {
      asked.push(request)
      return alice
    }
    const driver = await remoteProvider.open(parseConnectUri(served.uri), { credentials })
    await using connection = new Connection(driver)
    const away = new Promise<void>((resolve) =>
      driver.onLinkState(({ state }) => state === 'away' && resolve()),
    )
    served.cut()
    await away
    await expect(connection.domains.list()).resolves.toHaveLength(1)
    expect(asked).toEqual(Array(2).fill({ uri: served.uri, user: undefined }))
  })

  test('waits while somebody is asked, however long that takes', async () => {
    await using served = await guarded()
    const clock = new FakeClock()
    const credentials = async () => {
      await clock.advance(60_000)
      return alice
    }
    await using connection = await open(served.uri, { clock, credentials })
    await expect(connection.domains.list()).resolves.toHaveLength(1)
  })

  test('is told the name in the URI, and the password that a file has for it', async () => {
    await using root = await tempRoot()
    await using served = await guarded('tls')
    const path = await authFile(root, { password: alice.password })
    const named = served.uri.replace('://', '://alice@')
    await using connection = await open(`${named}&authfile=${path}`)
    await expect(connection.domains.list()).resolves.toHaveLength(1)
  })

  test('keeps out who has the wrong password, and who is nobody', async () => {
    await using served = await guarded()
    for (const wrong of [
      { ...alice, password: 'x' },
      { ...alice, user: 'bob' },
    ])
      await expect(open(served.uri, { credentials: () => wrong })).rejects.toMatchObject({
        code: 'AUTH_FAILED',
        message: 'The name or the password is wrong',
      })
  })

  test('is not asked anything where nobody knows a password, and the error tells where to put it', async () => {
    await using served = await guarded()
    await expect(open(served.uri)).rejects.toMatchObject({
      code: 'AUTH_FAILED',
      hint: expect.stringContaining('auth.conf'),
    })
  })

  test.each([
    ['none', 'AUTH_UNAVAILABLE'],
    ['sasl.gssapi', 'AUTH_UNAVAILABLE'],
  ])('is refused by us where we are to be let in by %s', async (auth, code) => {
    await using served = await guarded()
    const opened = open(`${served.uri}&auth=${auth}`, { credentials: () => alice })
    await expect(opened).rejects.toMatchObject({ code })
  })
})

describe('a file with credentials', () => {
  const file = async (root: TempRoot, text: string) => {
    await writeFile(root.join('f'), text)
    return root.join('f')
  }

  test('has a default for hosts that it does not name', async () => {
    await using root = await tempRoot()
    const path = await file(
      root,
      '[auth-libvirt-a]\ncredentials=x\n[auth-libvirt-default]\ncredentials=y\n[credentials-x]\nusername=1\n[credentials-y]\nauthname=2\n',
    )
    expect(await readAuthFile(path, 'a')).toEqual({ user: '1', password: undefined })
    expect(await readAuthFile(path, 'b')).toEqual({ user: '2', password: undefined })
  })

  test('is looked for where libvirt does', async () => {
    await using root = await tempRoot()
    const path = await file(root, '[auth-libvirt-default]\ncredentials=x\n[credentials-x]\nauthname=1\n')
    expect(await readAuthFile(undefined, 'a', { LIBVIRT_AUTH_FILE: path })).toMatchObject({ user: '1' })
    expect(await readAuthFile(undefined, 'a', { HOME: root.path })).toBeUndefined()
  })

  test('that was named and is not there is an error', async () => {
    await expect(readAuthFile('/no/such', 'a')).rejects.toMatchObject({ code: 'NO_CONNECT' })
  })
})
