import { describe, expect, test } from '@jest/globals'
import { hostDocuments, titleOf } from '../src/host-documents.js'

const uuid = '0a1b2c3d-0000-4000-8000-00000000000f'

describe('identify', () => {
  test('reads type, name and uuid', () => {
    const xml = `<domain type='lxc'><name>web</name><uuid>${uuid}</uuid></domain>`
    expect(hostDocuments.identify(xml)).toEqual({ type: 'lxc', name: 'web', uuid })
  })

  test('gives a uuid its canonical form', () => {
    const xml = `<domain type='lxc'><uuid> ${uuid.toUpperCase().replaceAll('-', '')} </uuid></domain>`
    expect(hostDocuments.identify(xml).uuid).toBe(uuid)
  })

  test('is not misled by names in comments and other elements', () => {
    const xml = `<domain type='kvm'><!-- <name>a</name> --><metadata><name>b</name></metadata><name>c&amp;d</name></domain>`
    expect(hostDocuments.identify(xml)).toEqual({ type: 'kvm', name: 'c&d', uuid: undefined })
  })

  test.each(['', 'nonsense', '<network/>', '<domain'])('refuses %j', (xml) => {
    expect(() => hostDocuments.identify(xml)).toThrow(expect.objectContaining({ code: 'XML_ERROR' }))
  })
})

describe('mergeCapabilities', () => {
  test('takes the host of the first and the guests of all', () => {
    const merged = hostDocuments.mergeCapabilities([
      '<capabilities><host><uuid>1</uuid></host><guest><os_type>exe</os_type></guest></capabilities>',
      '<capabilities><host><uuid>2</uuid></host><guest><os_type>hvm</os_type></guest></capabilities>',
    ])
    expect(merged).toBe(
      '<capabilities><host><uuid>1</uuid></host><guest><os_type>exe</os_type></guest><guest><os_type>hvm</os_type></guest></capabilities>',
    )
  })

  test('is an empty document where no driver can be used', () => {
    expect(hostDocuments.mergeCapabilities([])).toBe('<capabilities><host/></capabilities>')
  })
})

test('the title of a domain is that of its own element', () => {
  expect(titleOf("<domain type='test'><title> The web </title></domain>")).toBe('The web')
  expect(titleOf("<domain type='test'/>")).toBe('')
})
