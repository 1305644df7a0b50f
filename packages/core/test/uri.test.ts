import { describe, expect, test } from '@jest/globals'
import { formatConnectUri, parseConnectUri } from '../src/index.js'

test.each([
  ['test:///default', { scheme: 'test', path: '/default', query: {} }],
  ['lxc:///', { scheme: 'lxc', path: '/', query: {} }],
  ['covirt:///system?root=/a/b%20c', { scheme: 'covirt', path: '/system', query: { root: '/a/b c' } }],
  [
    'qemu+tls://me@host.example:16514/system',
    {
      scheme: 'qemu',
      transport: 'tls',
      user: 'me',
      host: 'host.example',
      port: 16514,
      path: '/system',
      query: {},
    },
  ],
  [
    'qemu+unix:///system?socket=/run/x',
    { scheme: 'qemu', transport: 'unix', path: '/system', query: { socket: '/run/x' } },
  ],
])('%s is taken apart', (text, parts) => {
  expect(parseConnectUri(text)).toEqual(parts)
})

test.each(['test:///default', 'covirt:///system?root=/a/b', 'qemu+ssh://me@host:22/system'])(
  '%s comes back as it was',
  (text) => {
    expect(formatConnectUri(parseConnectUri(text))).toBe(text)
  },
)

describe('is refused with INVALID_ARG and examples:', () => {
  test.each([
    '',
    'lxc',
    'lxc:system',
    '///system',
    'qemu+a+b:///x',
    'qemu://u:secret@host/',
    'lxc:///?root=/a&root=/b',
  ])('%j', (text) => {
    expect(() => parseConnectUri(text)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARG', hint: expect.stringContaining('lxc:///system') }),
    )
  })
})
