import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { describe, expect, test } from '@jest/globals'
import { tempRoot } from '../../../test/fixtures/index.js'
import { resolveInRoot } from '../src/host/resolve-in-root.js'

describe('a path inside of a root', () => {
  test.each([
    ['/bin/app', '/bin/app'],
    ['/absolute', '/bin/app'],
    ['/relative', '/bin/app'],
    ['/chain', '/bin/app'],
    ['/climbing', '/bin/app'],
    ['/../../bin/./app', '/bin/app'],
    ['/linked/app', '/bin/app'],
    ['/loop', undefined],
    ['/outside', undefined],
    ['/missing', undefined],
    ['/bin/app/below', undefined],
  ])('%s is %s', async (path, resolved) => {
    await using root = await tempRoot()
    await mkdir(root.join('bin'))
    await writeFile(root.join('bin/app'), '')
    const links = {
      absolute: '/bin/app',
      relative: 'bin/../bin/app',
      chain: 'absolute',
      climbing: '../../../../bin/app',
      linked: '/bin',
      loop: 'loop',
      // Exists on every host, but not in this root.
      outside: '/proc/self/status',
    }
    for (const [name, target] of Object.entries(links)) await symlink(target, root.join(name))
    expect(await resolveInRoot(root.path, path)).toBe(resolved)
  })
})
