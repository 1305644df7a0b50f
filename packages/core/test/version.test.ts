import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { libraryVersion, readNodeInfo } from '../src/index.js'

test("the library's version is that of its package", () => {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  expect(libraryVersion).toBe(version)
})

test('this host has at least one processor and some memory', async () => {
  const { cpus, memoryKib, sockets, cores, threads } = await readNodeInfo()
  expect(cpus).toBeGreaterThan(0)
  expect(memoryKib).toBeGreaterThan(65_536)
  expect(sockets * cores * threads).toBeLessThanOrEqual(cpus)
})
