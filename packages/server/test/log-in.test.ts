import { EventEmitter, once } from 'node:events'
import { FakeClock, silentLogger, VirError } from '@covirt/core'
import {
  makeScramVerifier,
  type ProcedureName,
  procedures,
  ScramClient,
  type ScramVerifier,
  scramVerifierOfNobody,
} from '@covirt/protocol'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { placeOf } from '../src/access/login-attempts.js'
import type { Grant, Identity, ServerOptions } from '../src/index.js'
import { serverScene } from './support/scene.js'
import type { WireClient } from './support/wire-client.js'

const alice = { user: 'alice', password: 'in wonderland' }
const far: Identity = { name: '192.0.2.1', transport: 'tcp', address: '192.0.2.1' }
const sasl = { auth: 'sasl' } as const

let verifier: ScramVerifier

beforeAll(async () => {
  verifier = await makeScramVerifier(alice.password, { iterations: 4096 })
})

function scene(options: Partial<ServerOptions> = {}) {
  return serverScene({
    verifierOf: (user) => (user === alice.user ? verifier : scramVerifierOfNobody(Buffer.alloc(32), user)),
    ...options,
  })
}

async function logIn(client: WireClient, { user, password } = alice): Promise<boolean> {
  const exchange = new ScramClient(user, password)
  const said = (text: string) => ({ absent: false, data: Buffer.from(text) })
  const start = { mechanism: 'SCRAM-SHA-256', ...said(exchange.first) }
  const { data } = await client.call('authSaslStart', start)
  const last = await exchange.answer(Buffer.from(data).toString())
  const outcome = await client.call('authSaslStep', said(last))
  exchange.check(Buffer.from(outcome.data).toString())
  return outcome.complete
}

const failed = { code: 'AUTH_FAILED' }

describe('a client that has to log in', () => {
  test('is told how, and is let in as who it is', async () => {
    const seen: Identity[] = []
    await using it = await scene({
      policy: (identity) => {
        seen.push(identity)
        return { role: 'admin' }
      },
    })
    const { client } = it.connect(sasl, far)
    expect(await client.call('authList', {})).toEqual({ types: [1] })
    expect(await client.call('authSaslInit', {})).toEqual({ mechanisms: 'SCRAM-SHA-256' })
    expect(await logIn(client)).toBe(true)
    await client.open(it.uri)
    expect(seen).toEqual([{ ...far, name: 'sasl:alice', sasl: 'alice', verifier: expect.anything() }])
  })

  test('can do nothing else before', async () => {
    await using it = await scene()
    const { client } = it.connect(sasl, far)
    const greetings = ['authList', 'authSaslInit', 'authSaslStart', 'authSaslStep', 'connectClose']
    const others = (Object.keys(procedures) as ProcedureName[]).filter(
      (name) => !greetings.includes(name) && name !== 'covirtCancel',
    )
    for (const name of ['connectOpen', 'connectSupportsFeature', 'connectGetType', 'domainDestroy'] as const)
      expect(others).toContain(name)
    await expect(client.open(it.uri)).rejects.toMatchObject(failed)
    await expect(client.call('connectSupportsFeature', { feature: 10 })).rejects.toMatchObject(failed)
    await expect(client.call('connectGetType', {})).rejects.toMatchObject(failed)
    await expect(client.call('covirtDescribe', {})).rejects.toMatchObject(failed)
  })

  test('is asked to speak where it does not speak first', async () => {
    await using it = await scene()
    const { client } = it.connect(sasl, far)
    const none = { absent: true, data: Buffer.alloc(0) }
    const begun = await client.call('authSaslStart', { mechanism: 'SCRAM-SHA-256', ...none })
    expect(begun).toMatchObject({ complete: false, absent: false })
    const { first } = new ScramClient('alice', 'x')
    const asked = await client.call('authSaslStep', { absent: false, data: Buffer.from(first) })
    expect(Buffer.from(asked.data).toString()).toContain(',i=4096')
  })

  test('is cut off after its third failure, once that is answered', async () => {
    await using it = await scene()
    const { client } = it.connect(sasl, far)
    for (let attempt = 0; attempt < 3; attempt++)
      await expect(logIn(client, { ...alice, password: 'guess' })).rejects.toMatchObject(failed)
    await client.closed
  })

  test('is not listened to for a while after many failures from there, though others are', async () => {
    const clock = new FakeClock()
    await using it = await scene({ clock })
    const attempt = (credentials: typeof alice, identity = far) =>
      logIn(it.connect(sasl, identity).client, credentials)
    for (let count = 0; count < 5; count++)
      await expect(attempt({ ...alice, password: 'guess' })).rejects.toMatchObject(failed)
    await expect(attempt(alice)).rejects.toMatchObject({
      ...failed,
      message: 'Too many logins from there have failed',
    })
    expect(await attempt(alice, { ...far, address: '192.0.2.2' })).toBe(true)
    await clock.advance(1000)
    expect(await attempt(alice)).toBe(true)
  })

  test('is not listened to for a while, whoever else has logged in from there between the failures', async () => {
    await using it = await scene({ clock: new FakeClock() })
    const attempt = (password: string) => logIn(it.connect(sasl, far).client, { ...alice, password })
    for (let count = 0; count < 5; count++) {
      expect(await attempt(alice.password)).toBe(true)
      await expect(attempt('guess')).rejects.toMatchObject(failed)
    }
    await expect(attempt(alice.password)).rejects.toMatchObject({ message: /Too many logins/ })
  })

  test('may fail now and then', async () => {
    const clock = new FakeClock()
    await using it = await scene({ clock })
    for (let count = 0; count < 8; count++) {
      await clock.advance(150_000)
      const { client } = it.connect(sasl, far)
      await expect(logIn(client, { ...alice, password: 'typo' })).rejects.toMatchObject(failed)
      client.channel.destroy()
    }
    expect(await logIn(it.connect(sasl, far).client)).toBe(true)
  })

  test('is not told of trouble of the server, which is no failure of the client', async () => {
    let broken = true
    const log: unknown[] = []
    const note = (message: string, fields: unknown) => log.push([message, fields])
    await using it = await scene({
      logger: { ...silentLogger, error: note },
      verifierOf: () => {
        if (broken) throw new VirError('CONF_SYNTAX', 'Cannot read /etc/secret.json')
        return verifier
      },
    })
    for (let count = 0; count < 6; count++)
      await expect(logIn(it.connect(sasl, far).client)).rejects.toMatchObject({
        ...failed,
        message: 'The login cannot be checked at the moment',
      })
    expect(log).toContainEqual([
      'A login could not be checked',
      expect.objectContaining({ error: expect.objectContaining({ code: 'CONF_SYNTAX' }) }),
    ])
    broken = false
    expect(await logIn(it.connect(sasl, far).client)).toBe(true)
  })

  test('has time to type, but not for ever', async () => {
    const clock = new FakeClock()
    await using it = await scene({ clock })
    const slow = it.connect(sasl, far).client
    const idle = it.connect(sasl, far).client
    await clock.advance(100_000)
    expect(await logIn(slow)).toBe(true)
    await slow.open(it.uri)
    await clock.advance(21_000)
    await idle.closed
    expect(slow.channel.closed).toBe(false)
  })

  test('has a place only while there are not too many like it', async () => {
    await using it = await scene({ limits: { strangers: 1 } })
    const first = it.connect(sasl, far)
    await it.connect(sasl, far).client.closed
    await logIn(first.client)
    expect(await logIn(it.connect(sasl, far).client)).toBe(true)
  })

  test('may log in once', async () => {
    await using it = await scene()
    const { client } = it.connect(sasl, far)
    await logIn(client)
    await expect(client.call('authSaslInit', {})).rejects.toMatchObject({ code: 'AUTH_UNAVAILABLE' })
  })
})

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['2001:db8:0:0:ffff::2', '2001:db8:0:0'],
  ['2001:db8:0:1::1', '2001:db8:0:1'],
  ['::1', '0:0:0:0'],
  [undefined, 'uid 7'],
])('logins from %s count for %s', (address, place) => {
  expect(placeOf({ address, uid: 7 })).toBe(place)
})

test('who need not log in has nothing to log in to', async () => {
  await using it = await scene()
  const { client } = it.connect()
  await expect(client.call('authSaslInit', {})).rejects.toMatchObject({ code: 'AUTH_UNAVAILABLE' })
})

describe('grants that are reviewed', () => {
  async function granted(first: Grant) {
    let grant: Grant | undefined = first
    const it = await serverScene({ policy: () => grant })
    const { client } = it.connect()
    await client.open(it.uri)
    const review = async (next: Grant | undefined) => {
      grant = next
      await it.server.reviewGrants()
    }
    return { ...it, client, review }
  }
  const some = (scope: string): Grant => ({ role: 'operate', mayAccess: () => true, scope })

  test.each([
    ['nothing any more', some('a'), undefined],
    ['a lesser role', some('a'), { ...some('a'), role: 'read' as const }],
    ['other domains', some('a'), some('b')],
    ['some domains where there were all', { role: 'operate' as const }, some('a')],
  ])('cut off who has %s', async (_, before, after) => {
    await using it = await granted(before)
    await it.review(after)
    await it.client.closed
  })

  test('cut off who is opening a connection with what was granted before', async () => {
    const happened = new EventEmitter()
    const asked = once(happened, 'asked')
    await using it = await serverScene({
      policy: async () => {
        happened.emit('asked')
        await once(happened, 'decided')
        return { role: 'admin' }
      },
    })
    const { client } = it.connect()
    void client.open(it.uri).catch(() => {})
    await asked
    await it.server.reviewGrants()
    happened.emit('decided')
    await client.closed
  })

  test('cut off whose login counts no more, or is half-way, and no others', async () => {
    await using it = await scene()
    const stranger = () => it.connect(sasl, far).client
    const [known, half, before, other] = [stranger(), stranger(), stranger(), await it.open()]
    await logIn(known)
    await known.open(it.uri)
    const { first } = new ScramClient('alice', 'x')
    await half.call('authSaslStart', { mechanism: 'SCRAM-SHA-256', absent: false, data: Buffer.from(first) })
    await before.call('authList', {})
    await it.server.reviewGrants((identity) => identity.sasl !== 'alice')
    await Promise.all([known.closed, half.closed])
    expect(await other.call('connectGetType', {})).toEqual({ type: 'TEST' })
    expect(await logIn(before)).toBe(true)
  })

  test('leave alone who has what there was, and let do more at once who has more', async () => {
    await using it = await granted({ role: 'read' })
    await it.review({ role: 'read' })
    const { domain } = await it.client.call('domainLookupByName', { name: 'test' })
    await expect(it.client.call('domainSuspend', { domain })).rejects.toMatchObject({ code: 'ACCESS_DENIED' })
    await it.review({ role: 'operate' })
    await it.client.call('domainSuspend', { domain })
  })
})
