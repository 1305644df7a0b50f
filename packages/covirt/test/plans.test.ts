import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { FileJournal } from '@covirt/lifecycle'
import { describe, expect, test } from '@jest/globals'
import { LiveGuests } from '../src/cli/live-guests.js'
import { covirt, onTest as onTestWith } from './run-covirt.js'

const onTest = (...args: readonly string[]) => onTestWith(args)

describe('plans', () => {
  test('are shown for people', async () => {
    const { stdout, code } = await onTest('plan', 'stop')
    expect(stdout).toContain('1 domain, down within 95 s at the most (deadline 300 s)')
    expect(stdout).toContain('it is asked to shut down: request 90 s, then destroy 5 s')
    expect(code).toBe(0)
  })

  test('are shown for programs', async () => {
    const { stdout } = await onTest('plan', 'start', 'test', '--json')
    expect(JSON.parse(stdout)).toMatchObject({ kind: 'start', steps: [{ name: 'test', active: true }] })
  })

  test('are shown as graphs', async () => {
    const { stdout } = await onTest('plan', 'stop', '--dot')
    expect(stdout).toMatch(/^digraph plan \{\n.*"test";.*\}\n$/s)
  })

  test('of nothing say so', async () => {
    expect((await onTest('plan', 'start')).stdout).toMatch(/^Nothing is to be started\n/)
  })
})

describe('up and down', () => {
  test('down stops what is up, with a line for each guest', async () => {
    const { stdout, stderr, code } = await onTest('down')
    expect(stdout).toMatch(/^1 off in [0-9.]+ s\n$/)
    expect(stderr).toMatch(/^✓ test +off +[0-9.]+ s {2}clean\n$/)
    expect(code).toBe(0)
  })

  test('up waits for what runs already', async () => {
    const { stdout } = await onTest('--json', 'up', 'test')
    expect(JSON.parse(stdout)).toMatchObject({
      results: [{ name: 'test', outcome: 'ready', wasActive: true }],
    })
  })

  test('a domain that nobody has is an error', async () => {
    expect((await onTest('up', 'nobody')).stderr).toContain("There is no domain 'nobody'")
  })
})

describe('explain', () => {
  test('tells from the journal, also of a domain that is gone', async () => {
    const root = await mkdtemp(join(tmpdir(), 'cv-explain-'))
    const journal = FileJournal.open({ directory: join(root, 'lib', 'lifecycle') })
    const uuid = '6695eb01-f6a4-8304-79aa-97f2502e193f'
    const entry = {
      at: 0,
      boot: 'b',
      actor: 'user',
      event: 'stopped',
      uuid,
      name: 'web',
      how: 'clean',
    } as const
    await journal.append(entry)
    await journal.close()
    const { stdout } = await covirt(['-c', `covirt:///system?root=${root}`, 'explain', 'web'])
    expect(stdout).toMatch(/went off \(clean\), for a user\n$/)
    await rm(root, { recursive: true })
  })

  test('knows nothing of domains that nothing has happened to', async () => {
    expect((await onTest('explain', 'test')).stdout).toBe("Nothing is known of 'test'\n")
  })
})

describe('live lines', () => {
  function screen(isTTY: boolean) {
    const stream = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY, columns: 60, rows: 5 })
    return { stream, text: () => String(stream.read() ?? '') }
  }
  const at = (phase: 'starting' | 'ready', uuid = 'u', name = 'web') => ({
    at: Date.now(),
    uuid,
    name,
    phase,
  })

  test('where nobody watches there is one for each guest that is through', () => {
    const { stream, text } = screen(false)
    const live = new LiveGuests(stream, {})
    live.tell(at('starting'))
    live.tell(at('ready'))
    live.end()
    expect(text()).toBe('✓ web                  ready        0.0 s\n')
  })

  test('on a terminal what is under way is drawn and taken away again', () => {
    const { stream, text } = screen(true)
    const live = new LiveGuests(stream, { NO_COLOR: '1' })
    for (let index = 0; index < 9; index++) live.tell(at('starting', `u${index}`, `guest-${index}`))
    live.end()
    const drawn = text()
    expect(drawn).not.toContain('guest-8')
    live.tell(at('ready', 'u0', 'x'.repeat(200)))
    live.end()
    for (const line of text().split('\n')) expect(line.length).toBeLessThan(61)
  })
})
