import { describe, expect, test } from '@jest/globals'
import { onTest } from './run-covirt.js'

describe('ps', () => {
  test('shows the processes of a guest', async () => {
    const { code, stdout } = await onTest(['ps', 'test'])
    expect(code).toBe(0)
    expect(stdout.split('\n')[0]).toMatch(/^ PID +Host PID +Memory +CPU time +Command$/)
    expect(stdout.split('\n')[2]).toMatch(/^ 1 +- +\d+ KiB +\d+\.\d\ds +\/sbin\/init$/)
  })

  test('prints them as JSON', async () => {
    const { stdout } = await onTest(['--json', 'ps', 'test'])
    expect(JSON.parse(stdout)).toEqual([
      expect.objectContaining({ innerPid: 1, name: 'init', argv: ['/sbin/init'] }),
    ])
  })
})

describe('top', () => {
  test('shows how much of a processor each uses, as often as it is told to', async () => {
    const { code, stdout } = await onTest(['top', 'test', '--count', '2', '--delay', '0.1'])
    expect(code).toBe(0)
    const rows = stdout.split('\n').filter((line) => line.endsWith('/sbin/init'))
    expect(rows).toHaveLength(2)
    expect(Number(rows[1]?.trim().split(/\s+/)[0])).toBeGreaterThan(50)
  })
})

describe('domifaddr', () => {
  test('shows the addresses of a guest', async () => {
    const { code, stdout } = await onTest(['domifaddr', 'test', '--source', 'guest'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^ lo +00:00:00:00:00:00 +ipv4 +127\.0\.0\.1\/8$/m)
  })

  test('refuses a source that there is not', async () => {
    expect(await onTest(['domifaddr', 'test', '--source', 'arp'])).toMatchObject({ code: 2 })
  })
})
