import { readFile } from 'node:fs/promises'
import { expect } from '@jest/globals'
import { canRunLxc, tempRoot, testWhen } from './fixtures/index.js'
import { cgroup2View } from './hosts/cgroup2-view.js'
import type { SeenContainer } from './hosts/lxc-core.js'

testWhen(
  canRunLxc(),
  'containers run, freeze, are kept from devices and go down with control groups of version 2 alone',
  async () => {
    await using root = await tempRoot()
    const result = root.join('result')
    const program = ['--import', './scripts/typescript.mjs', 'test/hosts/lxc-core.ts', result]
    expect(await cgroup2View.run([process.execPath, ...program])).toBe(0)
    const seen = JSON.parse(await readFile(result, 'utf8')) as Record<string, SeenContainer>
    expect(Object.keys(seen)).toEqual(['own', 'privileged'])
    for (const { memoryKib, ...container } of Object.values(seen)) {
      expect(memoryKib).toBeGreaterThan(0)
      expect(container).toEqual({ pausedState: 'paused', devices: 'null 1', groups: 1, end: 'shutdown' })
    }
  },
)
