import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { tempRoot } from '../../../test/fixtures/index.js'
import { revokedSerials } from '../src/listen/revoked-serials.js'
import { makeAuthority } from './certificates.js'

test('the serial numbers in lists of revoked certificates are read as certificates have them', async () => {
  await using root = await tempRoot()
  const authority = await makeAuthority(root.path)
  const serials: string[] = []
  let list = Buffer.alloc(0)
  for (const name of ['one', 'two']) {
    const { cert } = await authority.issue(name, `/CN=${name}`)
    serials.push(new X509Certificate(await readFile(cert)).serialNumber)
    list = await readFile(await authority.revoke(name))
    expect([...revokedSerials(list)].sort()).toEqual([...serials].sort())
  }
  const der = Buffer.from(list.toString().replace(/-----[^-]+-----/g, ''), 'base64')
  expect([...revokedSerials(der)].sort()).toEqual([...serials].sort())
  const damaged = fc.tuple(fc.nat(der.length - 1), fc.nat(255), fc.nat(der.length))
  fc.assert(
    fc.property(damaged, ([at, byte, end]) => {
      const other = Buffer.from(der.subarray(0, end))
      if (at < end) other[at] = byte
      expect(revokedSerials(other).size).toBeLessThanOrEqual(der.length)
    }),
  )
})

test('no list takes nothing back', () => {
  expect(revokedSerials(Buffer.alloc(0)).size).toBe(0)
  expect(revokedSerials(Buffer.from('no list at all')).size).toBe(0)
})
