import { silentLogger } from '@covirt/core'
import { makeScramVerifier } from '@covirt/server'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { matchesAny } from '../src/access/glob.js'
import { knownClients } from '../src/access/known-clients.js'
import { rulePolicy } from '../src/access/rule-policy.js'
import { parseConfig } from '../src/config/parse-config.js'
import type { ClientIdentity } from '../src/listen/connection.js'

const ids: Readonly<Record<string, number>> = { 'passwd alice': 1001, 'group staff': 50, 'passwd 7': 7 }
const find = async (database: string, name: string) => ids[`${database} ${name}`]

async function decide(toml: string, client: Partial<ClientIdentity>) {
  const { config, problems } = parseConfig(toml)
  if (!config) throw new Error(JSON.stringify(problems))
  const policy = await rulePolicy(config.access, { logger: silentLogger, ownUid: 500, find })
  return policy({ name: 'somebody', transport: 'unix', ...client })
}

const rules = `
[[access.rules]]
users = ["alice", "7", "nobody-of-that-name"]
role = "operate"
domains = ["web-*", "db"]

[[access.rules]]
groups = ["staff"]
role = "read"

[[access.rules]]
dns = ["C=GB,*,CN=ops"]
role = "admin"
`

test('who has logged in or shown a certificate is known while that would do again', async () => {
  const verifier = await makeScramVerifier('in wonderland')
  const known = knownClients(new Map([['alice', verifier]]), { allowedDns: ['C=GB,*'] })
  expect([known({}), known({ sasl: 'alice', verifier }), known({ certificate: 'C=GB,CN=ops' })]).toEqual([
    true,
    true,
    true,
  ])
  expect([known({ sasl: 'bob', verifier }), known({ certificate: 'C=FR,CN=ops' })]).toEqual([false, false])
  const another = await makeScramVerifier('in wonderland')
  expect(known({ sasl: 'alice', verifier: another })).toBe(false)
  expect(knownClients(new Map(), { allowedDns: undefined })({ certificate: 'C=FR,CN=ops' })).toBe(true)
})

describe('a policy', () => {
  test('of no rules lets everybody do everything', async () => {
    expect(await decide('', { uid: 1234 })).toEqual({ role: 'admin' })
  })

  test('of rules lets nobody in whom none names', async () => {
    expect(await decide(rules, { uid: 1234, gid: 1234, groups: [1, 2] })).toBeUndefined()
    expect(await decide(rules, {})).toBeUndefined()
  })

  test('can say what all others may do', async () => {
    expect(await decide(`[access]\ndefault = "read"\n${rules}`, { uid: 1234 })).toEqual({ role: 'read' })
  })

  test.each([0, 500])('lets root and its own user do everything: %i', async (uid) => {
    expect(await decide(rules, { uid })).toEqual({ role: 'admin' })
  })

  test.each([
    ['by its name', { uid: 1001 }, 'operate'],
    ['by its number', { uid: 7 }, 'operate'],
    ['by its primary group', { uid: 9, gid: 50 }, 'read'],
    ['by a supplementary group', { uid: 9, gid: 9, groups: [3, 50] }, 'read'],
    ['by its certificate', { certificate: 'C=GB,O=Example,CN=ops' }, 'admin'],
  ])('knows a client %s', async (_how, client, role) => {
    expect(await decide(rules, client)).toMatchObject({ role })
  })

  test('of several that name a client goes by the first', async () => {
    expect(await decide(rules, { uid: 1001, gid: 50 })).toMatchObject({ role: 'operate' })
  })

  test('narrows a client to the domains that it names', async () => {
    const grant = await decide(rules, { uid: 1001 })
    const names = ['web-1', 'web-', 'db', 'db2', 'my-web-1', 'web']
    expect(names.filter((name) => grant?.mayAccess?.({ name, uuid: '' }))).toEqual(['web-1', 'web-', 'db'])
  })

  test('can keep clients out that a later rule would let in', async () => {
    const toml =
      '[[access.rules]]\nusers = ["alice"]\nrole = "none"\n[[access.rules]]\neveryone = true\nrole = "read"'
    expect(await decide(toml, { uid: 1001 })).toBeUndefined()
    expect(await decide(toml, { uid: 1002 })).toEqual({ role: 'read' })
  })
})

test('patterns match as the regular expressions that they stand for', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', ','), maxLength: 12 })
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*'), maxLength: 8 })
  fc.assert(
    fc.property(pattern, text, (glob, candidate) => {
      const expression = glob
        .split('*')
        .map((part) => part.replaceAll('.', '\\.'))
        .join('.*')
      expect(matchesAny([glob], candidate)).toBe(new RegExp(`^${expression}$`).test(candidate))
    }),
  )
})
