import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { tempRoot } from '../../../test/fixtures/index.js'
import { divideSubordinateIds, IdRanges, idsPerRange } from '../src/host/id-ranges.js'

test('Each domain has ids of its own, the same at each question and after a restart', async () => {
  await using root = await tempRoot()
  const uuids = Array.from({ length: 50 }, () => randomUUID())
  const ranges = new IdRanges(root.join('ids'))
  const starts = uuids.map((uuid) => ranges.take(uuid).start)
  const again = new IdRanges(root.join('ids'))
  expect(new Set(starts).size).toBe(50)
  expect(uuids.map((uuid) => again.take(uuid).start)).toEqual(starts)
  expect(starts.every((start) => start % idsPerRange === 0)).toBe(true)
})

test('The ids of domains that are gone are free, and those of others stay', async () => {
  await using root = await tempRoot()
  const [kept, gone] = [randomUUID(), randomUUID()]
  const ranges = new IdRanges(root.join('ids'))
  const { start } = ranges.take(kept)
  ranges.take(gone)
  ranges.retain(new Set([kept]))
  expect(readdirSync(root.join('ids'))).toEqual([String(start)])
  expect(ranges.find(gone)).toBeUndefined()
})

test('A domain that finds its place taken gets the next one', async () => {
  await using first = await tempRoot()
  await using second = await tempRoot()
  const uuid = randomUUID()
  const { start } = new IdRanges(first.path).take(uuid)
  symlinkSync(randomUUID(), second.join(String(start)))
  expect(new IdRanges(second.path).take(uuid).start).not.toBe(start)
})

test("Ids that a process has in a user namespace of another root are no new domain's", async () => {
  await using first = await tempRoot()
  await using second = await tempRoot()
  const uuid = randomUUID()
  const { start } = new IdRanges(first.path).take(uuid)
  const other = spawn('unshare', ['--user', 'sh', '-c', 'echo there; exec sleep 1000'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const ended = once(other, 'exit')
  try {
    await once(other.stdout, 'data')
    writeFileSync(`/proc/${other.pid}/uid_map`, `0 ${start} ${idsPerRange}`)
    expect(new IdRanges(second.path).take(uuid).start).not.toBe(start)
  } finally {
    other.kill('SIGKILL')
    await ended
  }
})

test('Where no range is left it says so', async () => {
  await using root = await tempRoot()
  const { pool } = divideSubordinateIds(['', ''])
  for (let start = pool.start; start < pool.start + pool.count; start += idsPerRange)
    symlinkSync(randomUUID(), root.join(String(start)))
  expect(() => new IdRanges(root.path).take(randomUUID())).toThrow('No range of user ids is left')
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
