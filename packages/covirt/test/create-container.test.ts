import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { VirError } from '@covirt/core'
import { expect, test } from '@jest/globals'
import { canRunLxc, canRunQemu, describeWhen, type TempRoot, tempRoot } from '../../../test/fixtures/index.js'
import type { Cli } from '../src/cli/cli.js'
import { createContainer } from '../src/cli/create-container.js'
import { covirt, covirtProcess, startCovirt } from './run-covirt.js'

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

describeWhen(canRunLxc() && canRunQemu(), 'create-container --template debian', () => {
  test('says why it could not be bootstrapped, and leaves nothing', async () => {
    await using root = await rootWith('echo "I: starting" >&2; echo "E: no route to $* " >&2; exit 7')
    const { code, stderr } = await covirtProcess(args(root), { environment: root.environment })
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
  test('may be repeated where ^C came twice, and left it half full', async () => {
    const slow = `touch ${'"$(dirname "$0")"'}/started; trap "" TERM; while [ -e "${'$(dirname "$0")'}/started" ]; do sleep 0.05; done; exit 1`
    await using root = await rootWith(slow)
    const child = startCovirt(args(root), root.environment)
    const started = async () => (await readdir(root.join('bin'))).includes('started')
    while (!(await started())) await new Promise((resolve) => setTimeout(resolve, 20))
    child.kill('SIGINT')
    child.kill('SIGTERM')
    const [code] = await once(child, 'exit')
    expect([130, 143]).toContain(code)
    await rm(root.join('bin/started'))
    await expect(readdir(root.join('lib/containers'))).resolves.toEqual(['deb'])
    await writeFile(root.join('bin/mmdebstrap'), '#!/bin/sh\nexit 7\n')
    const again = await covirtProcess(args(root), { environment: root.environment })
    expect(again.stderr).toMatch(/^error: mmdebstrap failed/)
    await expect(readdir(root.join('lib/containers'))).resolves.toEqual([])
  })

  test('leaves alone what an undefined container has left, and says what to do about it', async () => {
    await using root = await rootWith('exit 7')
    await mkdir(root.join('lib/containers/deb/rootfs'), { recursive: true })
    const { stderr, code } = await covirt(args(root))
    expect(stderr).toContain(`rm -r --one-file-system ${root.join('lib/containers/deb')}`)
    expect(code).toBe(1)
    await expect(readdir(root.join('lib/containers/deb'))).resolves.toEqual(['rootfs'])
  })
})

describeWhen(canRunLxc(), 'a container that neither starts nor can be undefined', () => {
  /** A command whose connection to `root` has domains that fail so. */
  function stubbornCli(root: TempRoot, warnings: string[]): Cli {
    const domain = {
      name: 'web',
      uuid: randomUUID(),
      start: () => Promise.reject(new VirError('OPERATION_FAILED', 'it does not start')),
      undefine: () => Promise.reject(new VirError('OPERATION_TIMEOUT', 'it is busy')),
    }
    const domains = {
      lookupByName: () => Promise.reject(new VirError('NO_DOMAIN', 'none yet')),
      define: async () => domain,
    }
    const cli = {
      signal: new AbortController().signal,
      connection: async () => ({ uri: `lxc:///system?root=${root.path}`, domains }),
      warn: (text: string) => warnings.push(text),
    }
    return cli as unknown as Cli
  }

  test('keeps its root file system, and the error is that of the start', async () => {
    await using root = await tempRoot()
    const warnings: string[] = []
    const creating = createContainer(stubbornCli(root, warnings), 'web', {
      template: 'busybox',
      memory: 65536,
      start: true,
    })
    await expect(creating).rejects.toMatchObject({ message: 'it does not start' })
    expect(warnings).toEqual(["'web' could not be removed again: it is busy"])
    await expect(readdir(root.join('lib/containers/web'))).resolves.toEqual(['rootfs'])
  })
})
