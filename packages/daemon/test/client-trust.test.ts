import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { tempRoot } from '../../../test/fixtures/index.js'
import { clientTrust } from '../src/listen/client-trust.js'
import { certificateKey, revokedCertificates } from '../src/listen/revoked-certificates.js'
import { type Authority, makeAuthority } from './certificates.js'

const issued = async (authority: Authority, name: string, serial?: string) => {
  const { cert } = await authority.issue(name, `/CN=${name}`, serial)
  return new X509Certificate(await readFile(cert))
}

test('what lists of revoked certificates take back is read as certificates have it', async () => {
  await using root = await tempRoot()
  const authority = await makeAuthority(root.path)
  const keys: string[] = []
  let list = Buffer.alloc(0)
  for (const name of ['one', 'two']) {
    keys.push(certificateKey(await issued(authority, name)))
    list = await readFile(await authority.revoke(name))
    expect([...revokedCertificates(list)].sort()).toEqual([...keys].sort())
  }
  const der = Buffer.from(list.toString().replace(/-----[^-]+-----/g, ''), 'base64')
  expect([...revokedCertificates(der)].sort()).toEqual([...keys].sort())
  const damaged = fc.tuple(fc.nat(der.length - 1), fc.nat(255), fc.nat(der.length))
  fc.assert(
    fc.property(damaged, ([at, byte, end]) => {
      const other = Buffer.from(der.subarray(0, end))
      if (at < end) other[at] = byte
      expect(revokedCertificates(other).size).toBeLessThanOrEqual(der.length)
    }),
  )
})

test('no list takes nothing back', () => {
  expect(revokedCertificates(Buffer.alloc(0)).size).toBe(0)
  expect(revokedCertificates(Buffer.from('no list at all')).size).toBe(0)
})

test('of two authorities, the list of one takes nothing back of the other, whose serial numbers are the same', async () => {
  await using root = await tempRoot()
  const [ours, theirs] = await Promise.all(
    ['ours', 'theirs'].map((name) => makeAuthority(root.join(name), name)),
  )
  if (!ours || !theirs) throw new Error('two are made')
  const revoked = await issued(ours, 'client', '2')
  const kept = await issued(theirs, 'client', '2')
  const ca = Buffer.concat([await readFile(ours.ca), await readFile(theirs.ca)])

  const trusts = clientTrust({ ca, crl: await readFile(await ours.revoke('client')) })

  expect([revoked, kept].map(({ serialNumber }) => serialNumber)).toEqual(['02', '02'])
  expect([revoked, kept].map(trusts)).toEqual([false, true])
})

test('an authority that is left out is trusted no more, also where another one has its name', async () => {
  await using root = await tempRoot()
  const [before, after] = [await makeAuthority(root.join('before')), await makeAuthority(root.join('after'))]
  const client = await issued(before, 'client')
  expect(clientTrust({ ca: await readFile(before.ca) })(client)).toBe(true)
  expect(clientTrust({ ca: await readFile(after.ca) })(client)).toBe(false)
})
