import * as fs from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, expect, jest, test } from '@jest/globals'
import { canRunLxc, describeWhen, tempRoot, uniqueName } from '../../../test/fixtures/index.js'

/** The directories that the system does not watch, as if there were too many already. */
let unwatched: string | undefined
const full = () => Object.assign(new Error('ENOSPC: watch'), { code: 'ENOSPC' })

jest.unstable_mockModule('node:fs', () => ({
  ...fs,
  watch: ((path: string, ...rest: [fs.WatchOptions, fs.WatchListener<string>]) => {
    if (unwatched !== undefined && path.startsWith(unwatched)) throw full()
    return fs.watch(path, ...rest)
  }) as typeof fs.watch,
}))
const { readHostFacts } = await import('../src/host/host-facts.js')
const { ForeignContainers } = await import('../src/foreign/foreign-containers.js')

describeWhen(canRunLxc(), 'containers of other tools', () => {
  afterAll(() => {
    unwatched = undefined
  })

  test('are told of as they come where the system watches no more directories', async () => {
    await using root = await tempRoot()
    const foreign = new ForeignContainers(root.path, await readHostFacts())
    const name = uniqueName('late')
    const directory = root.join(name)
    unwatched = directory
    const heard = new Promise<string>((resolve) => {
      foreign.watch(resolve).catch(() => {})
    })
    try {
      await mkdir(directory)
      await writeFile(join(directory, 'config'), '')
      expect(await heard).toBe(name)
    } finally {
      await foreign.close()
    }
  })
})
