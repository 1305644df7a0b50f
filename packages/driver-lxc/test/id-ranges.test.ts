import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { expect, test } from '@jest/globals'
import { type TempRoot, tempRoot } from '../../../test/fixtures/index.js'
import { IdRanges } from '../src/host/id-ranges.js'
import { divideSubordinateIds, idsPerRange } from '../src/host/subordinate-ids.js'

/** The ranges of a root of this name, on a host that is `host`. */
function openRoot(host: TempRoot, root = 'root'): Promise<IdRanges> {
  return IdRanges.open({ own: host.join(root), host: host.join('host') })
}

test('Each domain has ids of its own, the same at each question and after a restart', async () => {
  await using host = await tempRoot()
  const uuids = Array.from({ length: 50 }, () => randomUUID())
  const ranges = await openRoot(host)
  const starts = uuids.map((uuid) => ranges.take(uuid).start)
  const again = await openRoot(host)
  expect(new Set(starts).size).toBe(50)
  expect(uuids.map((uuid) => again.take(uuid).start)).toEqual(starts)
  expect(starts.every((start) => start % idsPerRange === 0)).toBe(true)
})

test('The ids of domains that are gone are free, and those of others stay', async () => {
  await using host = await tempRoot()
  const [kept, gone] = [randomUUID(), randomUUID()]
  const ranges = await openRoot(host)
  const { start } = ranges.take(kept)
  ranges.take(gone)
  ranges.retain(new Set([kept]))
  expect(readdirSync(host.join('root'))).toEqual([String(start)])
  expect(readdirSync(host.join('host'))).toEqual([String(start)])
  expect(ranges.find(gone)).toBeUndefined()
})

test('A domain that finds its place taken by one of another root gets the next one', async () => {
  await using host = await tempRoot()
  const uuid = randomUUID()
  const { start } = (await openRoot(host, 'one')).take(uuid)
  const other = (await openRoot(host, 'two')).take(uuid).start
  expect(other).not.toBe(start)
  expect((await openRoot(host, 'one')).take(uuid).start).toBe(start)
})

test('The ids of a root that was removed are free for others', async () => {
  await using host = await tempRoot()
  const uuid = randomUUID()
  const { start } = (await openRoot(host, 'one')).take(uuid)
  rmSync(host.join('one'), { recursive: true })
  expect((await openRoot(host, 'two')).take(uuid).start).toBe(start)
})

test('Of a root and its copy each has ids of its own', async () => {
  await using host = await tempRoot()
  const uuid = randomUUID()
  const { start } = (await openRoot(host, 'one')).take(uuid)
  cpSync(host.join('one'), host.join('two'), { recursive: true, verbatimSymlinks: true })
  const copy = (await openRoot(host, 'two')).take(uuid).start
  expect(copy).not.toBe(start)
  expect((await openRoot(host, 'two')).take(uuid).start).toBe(copy)
  expect((await openRoot(host, 'one')).take(uuid).start).toBe(start)
})

test("What is offered is given next, and is nobody else's, in the copy of a root too", async () => {
  await using host = await tempRoot()
  const uuid = randomUUID()
  const original = await openRoot(host, 'one')
  const offered = original.offer(uuid)
  expect(existsSync(host.join('one', String(offered.start)))).toBe(false)
  expect(original.take(uuid)).toEqual(offered)
  expect(original.offer(uuid)).toEqual(offered)
  cpSync(host.join('one'), host.join('two'), { recursive: true, verbatimSymlinks: true })
  const copy = await openRoot(host, 'two')
  const other = copy.offer(uuid)
  expect(other.start).not.toBe(offered.start)
  expect(copy.take(uuid)).toEqual(other)
})

test('A root that was moved keeps its ids, and one that comes back finds those taken that others were given', async () => {
  await using host = await tempRoot()
  const uuid = randomUUID()
  const { start } = (await openRoot(host, 'one')).take(uuid)
  renameSync(host.join('one'), host.join('moved'))
  expect((await openRoot(host, 'moved')).take(uuid).start).toBe(start)
  renameSync(host.join('moved'), host.join('away'))
  expect((await openRoot(host, 'two')).take(uuid).start).toBe(start)
  renameSync(host.join('away'), host.join('moved'))
  expect((await openRoot(host, 'moved')).take(uuid).start).not.toBe(start)
})

test('A range whose giving was cut off between its two notes is given again', async () => {
  await using host = await tempRoot()
  const uuid = randomUUID()
  const { start } = (await openRoot(host)).take(uuid)
  rmSync(host.join('host'), { recursive: true })
  expect((await openRoot(host)).take(uuid).start).toBe(start)
  expect(readdirSync(host.join('host'))).toEqual([String(start)])
})

test('Roots that give ranges at the same time never give the same', async () => {
  await using host = await tempRoot()
  const uuids = Array.from({ length: 10 }, () => randomUUID())
  const script = `
    const { IdRanges } = await import(process.argv[1])
    const ranges = await IdRanges.open({ own: process.argv[2], host: process.argv[3] })
    console.log(process.argv[4].split(',').map((uuid) => ranges.take(uuid).start).join(' '))`
  const loader = new URL('../../../scripts/typescript.mjs', import.meta.url).href
  const source = new URL('../src/host/id-ranges.ts', import.meta.url).href
  const taken = await Promise.all(
    ['one', 'two'].map(async (root) => {
      const child = spawn(
        process.execPath,
        [
          '--import',
          loader,
          '--input-type=module',
          '-e',
          script,
          source,
          host.join(root),
          host.join('host'),
          uuids.join(','),
        ],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      )
      const [output] = await Promise.all([child.stdout.setEncoding('utf8').toArray(), once(child, 'close')])
      return output.join('').trim().split(' ')
    }),
  )
  expect(new Set(taken.flat()).size).toBe(20)
})

test("Ids that a process has in a user namespace of another program are no new domain's", async () => {
  await using host = await tempRoot()
  await using another = await tempRoot()
  const uuid = randomUUID()
  const { start } = (await openRoot(host)).take(uuid)
  const other = spawn('unshare', ['--user', 'sh', '-c', 'echo there; exec sleep 1000'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const ended = once(other, 'exit')
  try {
    await once(other.stdout, 'data')
    writeFileSync(`/proc/${other.pid}/uid_map`, `0 ${start} ${idsPerRange}`)
    expect((await openRoot(another)).take(uuid).start).not.toBe(start)
  } finally {
    other.kill('SIGKILL')
    await ended
  }
})

test('Where no range is left it says so', async () => {
  await using host = await tempRoot()
  const { pool } = divideSubordinateIds(['', ''])
  mkdirSync(host.join('root'))
  for (let start = pool.start; start < pool.start + pool.count; start += idsPerRange)
    symlinkSync(randomUUID(), host.join('root', String(start)))
  const ranges = await openRoot(host)
  expect(() => ranges.take(randomUUID())).toThrow('No range of user ids is left')
})

test('Ids that /etc/subuid gives to others are taken, and those that it gives to us are ours', () => {
  const others = 'alice:1879048192:65536\n# comment\nbob:100000:65536\n'
  expect(divideSubordinateIds([others, '']).taken).toEqual([
    { start: 1879048192, count: 65536 },
    { start: 100000, count: 65536 },
  ])
  const ours = 'covirt:3000000:655360\n'
  expect(divideSubordinateIds([others + ours, ours]).pool).toEqual({ start: 3000000, count: 655360 })
  expect(divideSubordinateIds([ours, 'covirt:5:655360\n']).pool.start).toBe(0x7000_0000)
})
