import { execFile } from 'node:child_process'
import { appendFile, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  explain,
  FileJournal,
  type HostLifecycle,
  type JournalEntry,
  lifecycleService,
  readJournal,
  selectEntries,
} from '@covirt/lifecycle'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { uuidOf } from './make-domains.js'

let directory = ''

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cv-journal-'))
})

afterEach(() => rm(directory, { recursive: true }))

const entry = (at: number, changes: Partial<JournalEntry> = {}): JournalEntry => ({
  at,
  boot: 'boot-1',
  actor: 'boot',
  event: 'started',
  uuid: uuidOf('db'),
  name: 'db',
  ...changes,
})

describe('the journal on disk', () => {
  test('gives back what was appended, in order, also to another process', async () => {
    const journal = FileJournal.open({ directory })
    await Promise.all([1, 2, 3].map((at) => journal.append(entry(at))))
    await journal.close()
    const again = FileJournal.open({ directory })
    await again.append(entry(4))
    expect((await readJournal(directory)).map(({ at }) => at)).toEqual([1, 2, 3, 4])
    await again.close()
  })

  test('is empty where there is none, and reading makes none', async () => {
    expect(await readJournal(join(directory, 'none'))).toEqual([])
    expect(await readdir(directory)).toEqual([])
  })

  test('torn at any byte, keeps every whole entry before, and takes new ones', async () => {
    const journal = FileJournal.open({ directory })
    for (const at of [1, 2, 3]) await journal.append(entry(at))
    await journal.close()
    const whole = await readFile(join(directory, 'journal'))
    const ends = [...whole.entries()].filter(([, byte]) => byte === 0x0a).map(([index]) => index)
    for (let length = 0; length <= whole.length; length += 7) {
      await writeFile(join(directory, 'journal'), whole)
      await truncate(join(directory, 'journal'), length)
      const after = FileJournal.open({ directory })
      await after.append(entry(99))
      await after.close()
      // An entry without its line feed is whole all the same.
      const kept = ends.filter((end) => end <= length).length
      expect((await readJournal(directory)).map(({ at }) => at)).toEqual([...[1, 2, 3].slice(0, kept), 99])
    }
  })

  test('leaves out what was damaged, and nothing else', async () => {
    const journal = FileJournal.open({ directory })
    for (const at of [1, 2, 3]) await journal.append(entry(at))
    await journal.close()
    const text = await readFile(join(directory, 'journal'), 'utf8')
    await writeFile(join(directory, 'journal'), text.replace('"at":2', '"at":7'))
    await appendFile(join(directory, 'journal'), '\0\0\0 nonsense\n{}\n')
    expect((await readJournal(directory)).map(({ at }) => at)).toEqual([1, 3])
  })

  test('begins a new file when one is full, and keeps so many', async () => {
    const journal = FileJournal.open({ directory, maxBytes: 2000, keep: 2 })
    for (let at = 0; at < 100; at++) await journal.append(entry(at))
    await journal.close()
    expect(await readdir(directory)).toHaveLength(3)
    const ats = (await readJournal(directory)).map(({ at }) => at)
    expect(ats.at(-1)).toBe(99)
    expect(ats).toEqual(Array.from({ length: ats.length }, (_, index) => 100 - ats.length + index))
  })

  test('takes entries of several processes at once, through new files and torn ends, and loses none', async () => {
    const program = `
      import { FileJournal } from ${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)}
      const [directory, who] = process.argv.slice(1)
      const journal = FileJournal.open({ directory, maxBytes: 3000, keep: 1000 })
      for (let at = 0; at < 100; at++) await journal.append({ at, boot: who, actor: 'user', event: 'started' })
      await journal.close()`
    const writers = ['one', 'two', 'three'].map((who) =>
      promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program, directory, who]),
    )
    await Promise.all(writers)
    const entries = await readJournal(directory)
    for (const who of ['one', 'two', 'three']) {
      const ats = entries.flatMap(({ boot, at }) => (boot === who ? [at] : []))
      expect(ats).toEqual(Array.from({ length: 100 }, (_, at) => at))
    }
  })

  test('mends an end that another process has torn meanwhile', async () => {
    const journal = FileJournal.open({ directory })
    await journal.append(entry(1))
    await appendFile(join(directory, 'journal'), '0123')
    await journal.append(entry(2))
    await journal.close()
    expect((await readJournal(directory)).map(({ at }) => at)).toEqual([1, 2])
  })

  test('cuts texts that are too long', async () => {
    const journal = FileJournal.open({ directory })
    await journal.append(entry(1, { why: 'x'.repeat(100_000) }))
    await journal.close()
    expect((await readJournal(directory))[0]?.why).toHaveLength(1001)
  })

  test('says so where it cannot be written, and goes on when it can', async () => {
    const journal = FileJournal.open({ directory: join(directory, 'file', 'in-the-way') })
    await writeFile(join(directory, 'file'), '')
    await expect(journal.append(entry(1))).rejects.toMatchObject({ code: 'ENOTDIR' })
    await rm(join(directory, 'file'))
    await journal.append(entry(2))
    expect((await journal.read()).map(({ at }) => at)).toEqual([2])
    await journal.close()
  })
})

describe('explaining', () => {
  const ofDb = (entries: readonly JournalEntry[]) => selectEntries(entries, { domain: uuidOf('db') })

  test('tells an end, or a start, once that two processes have noted', () => {
    const noted = [
      entry(0, { event: 'starting' }),
      entry(10, { actor: 'user' }),
      entry(20, { tookMs: 20 }),
      entry(30, { event: 'ready' }),
      entry(100, { event: 'stopping', actor: 'power-off' }),
      entry(200, { event: 'stopped', actor: 'power-off', how: 'clean', tookMs: 100 }),
      entry(210, { event: 'stopped', actor: 'guest', how: 'clean' }),
      entry(9000, { event: 'stopped', actor: 'user', how: 'forced' }),
    ]
    const told = ofDb(noted)
    expect(told.map(({ at }) => at)).toEqual([0, 20, 30, 100, 200, 9000])
  })

  test('tells a domain’s transitions with reasons, across boots', () => {
    const lines = explain(
      ofDb([
        entry(0, { event: 'starting', why: 'it is marked to be started at boot' }),
        entry(1000, { tookMs: 1000 }),
        entry(1500, { uuid: uuidOf('other') }),
        entry(2000, {
          event: 'stopped',
          actor: 'power-off',
          how: 'forced',
          why: 'it did not act',
          tookMs: 90_000,
        }),
        entry(3000, { boot: 'boot-2', event: 'stopped', actor: 'guest', how: 'clean' }),
      ]),
    )
    expect(lines.map((line) => line.replace(/^[0-9-]+ [0-9:]+ {2}/, ''))).toEqual([
      'is being started, by the plan of the boot: it is marked to be started at boot',
      'started after 1 s, by the plan of the boot',
      'went off (forced) after 90 s, as the host goes down: it did not act',
      '--- the host booted ---',
      'went off (clean), by itself',
    ])
  })
})

test('of a long journal another process is told the latest, as much as an answer holds', async () => {
  const all = Array.from({ length: 30 }, (_, at) => entry(at, { why: 'x'.repeat(1 << 18) }))
  const lifecycle = { journal: async (request) => selectEntries(all, request ?? {}) } as HostLifecycle
  const { journal } = lifecycleService(async () => lifecycle)
  const told = (await journal.call([], { onProgress: () => {} })) as readonly JournalEntry[]
  expect(told).toEqual(all.slice(-told.length))
  expect(told.length).toBeGreaterThan(8)
  expect(Buffer.byteLength(JSON.stringify(told))).toBeLessThan(4 << 20)
})
