import { once } from 'node:events'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { describe, expect, test } from '@jest/globals'
import { type TempRoot, tempRoot } from '../../../test/fixtures/index.js'
import { covirt, startCovirt } from './run-covirt.js'

/** A root where `mmdebstrap` is a shell script. */
async function rootWith(script: string): Promise<TempRoot & { readonly environment: NodeJS.ProcessEnv }> {
  const root = await tempRoot()
  await mkdir(root.join('bin'))
  await writeFile(root.join('bin/mmdebstrap'), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  return Object.assign(root, { environment: { PATH: `${root.join('bin')}:${process.env.PATH}` } })
}

const args = (root: TempRoot) => [
  ...['-c', `covirt:///system?root=${root.path}`, 'create-container', 'deb'],
  ...['--template', 'debian', '--suite', 'trixie', '--mirror', 'http://mirror.example/debian'],
]

describe('create-container --template debian', () => {
  test('says why it could not be bootstrapped, and leaves nothing', async () => {
    await using root = await rootWith('echo "I: starting" >&2; echo "E: no route to $* " >&2; exit 7')
    const { code, stderr } = await covirt(args(root), { environment: root.environment })
    expect(stderr).toMatch(
      /^error: mmdebstrap failed: no route to .* trixie .* http:\/\/mirror\.example\/debian/,
    )
    expect(code).toBe(1)
    await expect(readdir(root.join('lib/containers'))).resolves.toEqual([])
  })

  test('ends at ^C, and leaves nothing', async () => {
    await using root = await rootWith(`touch ${'"$(dirname "$0")"'}/started; exec sleep 1000`)
    const child = startCovirt(args(root), root.environment)
    const started = async () => (await readdir(root.join('bin'))).includes('started')
    while (!(await started())) await new Promise((resolve) => setTimeout(resolve, 20))
    child.kill('SIGINT')
    await expect(once(child, 'close')).resolves.toEqual([130, null])
    await expect(readdir(root.join('lib/containers'))).resolves.toEqual([])
  })
})
