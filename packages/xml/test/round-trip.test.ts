import { describe, expect, test } from '@jest/globals'
import {
  formatCapabilities,
  formatDomain,
  parseCapabilities,
  parseDomain,
  plain,
  readXml,
  writeXml,
} from '../src/index.js'
import { documentBytes, documentText, domainNames } from './documents.js'

describe.each([...domainNames, 'capabilities'])('the document %s', (name) => {
  test('is written by the tree as it was read', () => {
    expect(writeXml(readXml(documentText(name)))).toBe(documentText(name))
  })

  test('reads the same from its bytes as from its text', () => {
    expect(readXml(documentBytes(name))).toEqual(readXml(documentText(name)))
  })
})

describe.each(domainNames)('the domain %s', (name) => {
  test('is written as it was read', () => {
    expect(formatDomain(parseDomain(documentText(name)))).toBe(documentText(name))
  })

  test('is written as it was read after a spread at every level', () => {
    const domain = parseDomain(documentText(name))
    const { devices } = domain
    const copy = {
      ...domain,
      os: { ...domain.os },
      devices: {
        ...devices,
        disks: devices.disks.map((disk) => ({ ...disk, target: { ...disk.target } })),
        interfaces: devices.interfaces.map((each) => ({ ...each, ips: [...each.ips] })),
        consoles: devices.consoles.map((console) => ({ ...console })),
      },
    }
    expect(formatDomain(copy)).toBe(documentText(name))
  })

  test('says the same when it is written anew from its values alone', () => {
    const values = plain(parseDomain(documentText(name)))
    expect(plain(parseDomain(formatDomain(values)))).toEqual(values)
  })
})

test('capabilities are written as they were read', () => {
  const text = documentText('capabilities')
  expect(formatCapabilities(parseCapabilities(text))).toBe(text)
})

test('capabilities say the same when they are written anew from their values alone', () => {
  const values = plain(parseCapabilities(documentText('capabilities')))
  expect(plain(parseCapabilities(formatCapabilities(values)))).toEqual(values)
})
