import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { TarGuard } from '../src/rootfs/tar-guard.js'

interface Entry {
  readonly path: string
  readonly type?: string
  readonly link?: string
  readonly content?: string
  readonly device?: readonly [number, number]
  /** Said in place of that of `content`. */
  readonly size?: number
}

/** One entry of an archive, as ustar has it. */
function entry({ path, type = '0', link = '', content = '', device = [0, 0], size }: Entry): Buffer {
  const block = Buffer.alloc(512)
  const octal = (value: number, at: number, length: number) =>
    block.write(value.toString(8).padStart(length - 1, '0'), at, 'latin1')
  block.write(path, 0, 100)
  octal(0o644, 100, 8)
  octal(size ?? Buffer.byteLength(content), 124, 12)
  block.write(type, 156)
  block.write(link, 157, 100)
  block.write('ustar\x0000', 257, 'latin1')
  octal(device[0], 329, 8)
  octal(device[1], 337, 8)
  block.fill(' ', 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  const body = Buffer.from(content)
  return Buffer.concat([block, body, Buffer.alloc((512 - (body.length % 512)) % 512)])
}

function archive(...entries: readonly (Entry | Buffer)[]): Buffer {
  const parts = entries.map((each) => (Buffer.isBuffer(each) ? each : entry(each)))
  return Buffer.concat([...parts, Buffer.alloc(1024)])
}

/** A pax header with these records. */
function pax(records: Readonly<Record<string, string>>, type = 'x'): Buffer {
  const lines = Object.entries(records).map(([key, value]) => {
    const rest = ` ${key}=${value}\n`
    let length = rest.length + 1
    while (String(length).length + rest.length !== length) length += 1
    return `${length}${rest}`
  })
  return entry({ path: 'pax', type, content: lines.join('') })
}

/** What the guard lets through of an archive that comes in pieces. */
function guard(bytes: Buffer, pieceBytes = bytes.length): Promise<Buffer> {
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length; at += pieceBytes) pieces.push(bytes.subarray(at, at + pieceBytes))
  return buffer(Readable.from(pieces).compose(new TarGuard()))
}

const harmless = archive(
  { path: './', type: '5' },
  { path: './bin/sh', content: 'x'.repeat(1000) },
  { path: './sbin', type: '2', link: '/usr/../bin' },
  { path: './bin/ash', type: '1', link: './bin/sh' },
  pax({ path: `usr/${'long/'.repeat(40)}name`, 'SCHILY.xattr.user.a': '=\n1' }),
  { path: 'short', content: 'y' },
  { path: '././@LongLink', type: 'L', content: `${'n'.repeat(200)}\0` },
  { path: 'nnn', content: 'z' },
)

test('a harmless archive goes through to the byte, in whatever pieces it comes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 3000 }), async (pieceBytes) => {
      expect((await guard(harmless, pieceBytes)).equals(harmless)).toBe(true)
    }),
    { numRuns: 20 },
  )
})

test('devices that every system has are left out, with the headers that belong to them', async () => {
  const made = archive(
    { path: 'a', content: '1' },
    pax({ path: 'dev/null' }),
    { path: 'dev', type: '3', device: [1, 3] },
    { path: 'b', content: '2' },
  )
  const kept = archive({ path: 'a', content: '1' }, { path: 'b', content: '2' })
  expect((await guard(made)).equals(kept)).toBe(true)
})

describe('refused is', () => {
  const longDots = `${'a/'.repeat(60)}../../x`
  test.each<[string, readonly (Entry | Buffer)[], RegExp]>([
    ['an absolute name', [{ path: '/etc/passwd' }], /absolute/],
    ['a name that leads up', [{ path: 'a/../../etc/passwd' }], /'\.\.'/],
    ['a name that leads up, in a pax header', [pax({ path: '../x' }), { path: 'x' }], /'\.\.'/],
    [
      'a name that leads up, in a GNU header',
      [{ path: 'L', type: 'L', content: longDots }, { path: 'x' }],
      /'\.\.'/,
    ],
    [
      'what lies behind a link',
      [{ path: 'a', type: '2', link: '/etc' }, { path: 'a/passwd' }],
      /behind the link 'a'/,
    ],
    [
      'what lies behind a link to a link',
      [
        { path: 'a', type: '2', link: '/' },
        { path: 'b', type: '1', link: 'a' },
        { path: './/b/./etc', type: '5' },
      ],
      /behind the link 'b'/,
    ],
    [
      'a directory in place of a link',
      [
        { path: 'a', type: '2', link: '/' },
        { path: 'a/', type: '5' },
      ],
      /place of a link/,
    ],
    ['a link in place of the root', [{ path: './', type: '2', link: '/etc' }], /root/],
    ['a hard link to a file outside', [{ path: 'a', type: '1', link: '/etc/shadow' }], /absolute/],
    ['a hard link that leads up', [{ path: 'a', type: '1', link: '../../etc/shadow' }], /'\.\.'/],
    [
      'a hard link that leads up, in a pax header',
      [pax({ linkpath: '../etc/shadow' }), { path: 'a', type: '1', link: 'b' }],
      /'\.\.'/,
    ],
    [
      'a hard link behind a link',
      [
        { path: 'a', type: '2', link: '/etc' },
        { path: 'b', type: '1', link: 'a/shadow' },
      ],
      /behind/,
    ],
    ['a disk', [{ path: 'dev/sda', type: '4', device: [8, 0] }], /block device 8:0/],
    ['memory', [{ path: 'x', type: '3', device: [1, 1] }], /character device 1:1/],
    ['an entry of an unknown kind', [{ path: 'x', type: 'S' }], /unknown kind/],
    ['content of what has none', [{ path: 'a', type: '5', size: 512 }, { path: '/x' }], /no file/],
    ['a size for what has none', [pax({ size: '512' }), { path: 'a', type: '1', link: 'b' }], /no file/],
    ['a name that is said twice', [pax({ path: 'a' }), pax({ path: 'b' }), { path: 'c' }], /twice/],
    ['a name that a second header undoes', [pax({ path: 'a' }), pax({ mtime: '1' }), { path: 'c' }], /twice/],
    [
      'a name of both kinds',
      [{ path: 'l', type: 'L', content: 'a' }, pax({ path: 'b' }), { path: 'c' }],
      /twice/,
    ],
    ['a name with a zero byte', [pax({ path: 'a\0b' }), { path: 'c' }], /zero byte/],
    ['a sparse file', [pax({ 'GNU.sparse.name': '/etc/passwd' }), { path: 'c' }], /sparse/],
    ['a name for all that follows', [pax({ path: '/etc/passwd' }, 'g'), { path: 'c' }], /global/],
    ['a header that is too long', [{ path: 'x', type: 'x', size: 1 << 21 }], /too long/],
    ['a name that is too long', [pax({ path: 'a/'.repeat(3000) }), { path: 'c' }], /too long/],
    [
      'a damaged pax header',
      [{ path: 'x', type: 'x', content: '0x10 path=/etc\n' }, { path: 'c' }],
      /damaged/,
    ],
    ['nothing at all', [], /holds nothing/],
    ['something else', [Buffer.from('#!/bin/sh\n'.repeat(60))], /checksum|none/],
  ])('%s', async (_, entries, why) => {
    await expect(guard(archive(...entries))).rejects.toMatchObject({
      code: 'OPERATION_FAILED',
      message: expect.stringMatching(why),
    })
  })

  test('an archive that ends in the middle', async () => {
    const cut = archive({ path: 'a', content: 'x'.repeat(2000) }).subarray(0, 1024)
    await expect(guard(cut)).rejects.toMatchObject({ message: expect.stringMatching(/ends in the middle/) })
  })
})

test('nothing of a refused entry comes out', async () => {
  const passed: Buffer[] = []
  const through = new TarGuard()
  through.on('data', (chunk: Buffer) => passed.push(chunk))
  const refused = new Promise((resolve) => through.once('error', resolve))
  through.end(archive({ path: 'a', content: '1' }, { path: '/evil', content: '2' }))
  await refused
  expect(Buffer.concat(passed).equals(entry({ path: 'a', content: '1' }))).toBe(true)
})
