import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  formatScramVerifier,
  makeScramVerifier,
  parseScramVerifier,
  preparedText,
  ScramClient,
  ScramServer,
  scramVerifierOfNobody,
} from '../src/index.js'

/** The exchange that RFC 7677 (3) prints. */
const published = {
  nonces: ['rOprNGfwEbeRWgbNEkqO', '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'],
  first: 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
  challenge: 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
  last: 'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  outcome: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
} as const

const quick = { iterations: 4096 }

async function login(user: string, password: string, server: ScramServer): Promise<string> {
  const client = new ScramClient(user, password)
  const { user: known, answer } = server.finish(await client.answer(await server.start(client.first)))
  client.check(answer)
  return known
}

async function serverFor(password: string): Promise<ScramServer> {
  const verifier = await makeScramVerifier(password, quick)
  return new ScramServer(() => verifier)
}

describe('SCRAM-SHA-256', () => {
  test('says what the RFC prints', async () => {
    const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')
    const verifier = await makeScramVerifier('pencil', { salt, ...quick })
    const client = new ScramClient('user', 'pencil', published.nonces[0])
    const server = new ScramServer(() => verifier, published.nonces[1])

    expect(client.first).toBe(published.first)
    expect(await server.start(client.first)).toBe(published.challenge)
    expect(await client.answer(published.challenge)).toBe(published.last)
    expect(server.finish(published.last)).toMatchObject({ user: 'user', answer: published.outcome })
    expect(() => client.check(published.outcome)).not.toThrow()
  })

  test('lets in who knows the password, whatever the name', async () => {
    const server = await makeScramVerifier('p,=ä€', quick)
    for (const user of ['a', 'a,b=c', 'ümläut', 'name with spaces'])
      expect(await login(user, 'p,=ä€', new ScramServer(() => server))).toBe(user)
  })

  test('keeps out who does not', async () => {
    await expect(login('a', 'wrong', await serverFor('right'))).rejects.toMatchObject({ code: 'AUTH_FAILED' })
  })

  test('keeps out everybody with the name of nobody, and asks them the same thing each time', async () => {
    const secret = Buffer.alloc(32, 7)
    const server = () => new ScramServer((user) => scramVerifierOfNobody(secret, user), 'x'.repeat(24))
    const asked = await Promise.all([1, 2].map(() => server().start('n,,n=ghost,r=abcdefgh')))
    expect(asked[0]).toBe(asked[1])
    expect(asked[0]).not.toBe(await server().start('n,,n=other,r=abcdefgh'))
    await expect(login('ghost', 'x', server())).rejects.toMatchObject({ code: 'AUTH_FAILED' })
  })

  test('does not believe a server that does not know the password', async () => {
    const client = new ScramClient('a', 'right')
    const server = await serverFor('right')
    await client.answer(await server.start(client.first))
    expect(() => client.check(published.outcome)).toThrow(expect.objectContaining({ code: 'AUTH_FAILED' }))
    expect(() => client.check('e=other-error')).toThrow(expect.objectContaining({ code: 'AUTH_FAILED' }))
  })

  test.each([
    ['asks for too little work', 'i=4095'],
    ['asks for too much work', 'i=4000001'],
    ['makes no sense', 'i=many'],
  ])('does not answer a server that %s', async (_, count) => {
    const client = new ScramClient('a', 'b', 'abcdefgh')
    const answer = client.answer(`r=abcdefghxyz,s=AAAA,${count}`)
    await expect(answer).rejects.toMatchObject({ code: 'AUTH_FAILED' })
  })

  test('does not answer a challenge that was made for somebody else', async () => {
    const client = new ScramClient('a', 'b', 'abcdefgh')
    for (const nonce of ['abcdefgh', 'zzzzzzzzz', ''])
      await expect(client.answer(`r=${nonce},s=AAAA,i=4096`)).rejects.toMatchObject({ code: 'AUTH_FAILED' })
  })

  test.each([
    ['binds to a channel', 'p=tls-unique,,n=a,r=abcdefgh'],
    ['is for somebody else', 'n,a=root,n=a,r=abcdefgh'],
    ['has no name', 'n,,n=,r=abcdefgh'],
    ['has a name that is not escaped', 'n,,n=a=b,r=abcdefgh'],
    ['has a short nonce', 'n,,n=a,r=abc'],
    ['demands an extension', 'n,,m=x,n=a,r=abcdefgh'],
  ])('refuses a first message that %s', async (_, message) => {
    await expect((await serverFor('b')).start(message)).rejects.toMatchObject({ code: 'AUTH_FAILED' })
  })

  test('answers or refuses any first message, and throws nothing else', async () => {
    const server = await serverFor('b')
    const pieces = fc.constantFrom(
      'n,',
      'y,',
      ',',
      'n=',
      'r=',
      'a=',
      'm=',
      '=2C',
      '=',
      'user',
      'abcdefgh',
      '\0',
      'ß',
    )
    await fc.assert(
      fc.asyncProperty(fc.array(pieces, { maxLength: 10 }), async (parts) => {
        const said = await server.start(parts.join('')).catch((error) => error.code)
        expect(said).toMatch(/^(AUTH_FAILED$|r=)/)
      }),
      { numRuns: 300 },
    )
  })

  test('takes a last message once, and only after a first one', async () => {
    const server = await serverFor('right')
    expect(() => server.finish(published.last)).toThrow(expect.objectContaining({ code: 'AUTH_FAILED' }))
    const client = new ScramClient('a', 'right')
    const last = await client.answer(await server.start(client.first))
    server.finish(last)
    expect(() => server.finish(last)).toThrow(expect.objectContaining({ code: 'AUTH_FAILED' }))
  })

  test('refuses any last message but the right one, and throws nothing else', async () => {
    const server = await serverFor('right')
    const client = new ScramClient('a', 'right')
    const last = await client.answer(await server.start(client.first))
    await fc.assert(
      fc.asyncProperty(fc.nat(last.length - 1), fc.string({ maxLength: 3 }), async (at, text) => {
        const other = last.slice(0, at) + text + last.slice(at + 1)
        fc.pre(other !== last)
        const again = await serverFor('right')
        await again.start(client.first)
        expect(() => again.finish(other)).toThrow(expect.objectContaining({ code: 'AUTH_FAILED' }))
      }),
      { numRuns: 50 },
    )
  })
})

test('what is kept of a password comes back from its text, and tells nothing of it', async () => {
  const verifier = await makeScramVerifier('secret', quick)
  const text = formatScramVerifier(verifier)
  expect(parseScramVerifier(text)).toEqual(verifier)
  expect(text).not.toContain('secret')
  expect(parseScramVerifier('SCRAM-SHA-1$4096:AAAA$AAAA:AAAA')).toBeUndefined()
  expect(parseScramVerifier(text.slice(0, -8))).toBeUndefined()
})

test('a password is the same in whatever way it is typed', () => {
  expect(preparedText('I\u00adX\u00a0\u2168')).toBe('IX IX')
  for (const wrong of ['', '\u00ad', 'a\nb', '\u202e'])
    expect(() => preparedText(wrong)).toThrow(expect.objectContaining({ code: 'INVALID_ARG' }))
})
