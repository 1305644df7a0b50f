import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { executableHooks, type HookContext } from '@covirt/lifecycle'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { domainXml, uuidOf } from './make-domains.js'

let directory = ''

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cv-hooks-'))
})

afterEach(() => rm(directory, { recursive: true }))

async function program(name: string, body: string): Promise<void> {
  const path = join(directory, name)
  await mkdir(join(path, '..'), { recursive: true })
  await writeFile(path, `#!/bin/sh\n${body}\n`)
  await chmod(path, 0o755)
}

const context = (): HookContext => ({ domain: { uuid: uuidOf('db'), name: 'db' }, xml: domainXml('db') })
const said = async () => (await readFile(join(directory, 'said'), 'utf8')).trim().split('\n')

test('programs are called as libvirt calls its hooks, with the document on standard input', async () => {
  await program('test', `echo "$@" >> ${directory}/said; grep -c "<name>db</name>" >> ${directory}/said`)
  const hooks = executableHooks(directory)
  await hooks.onBeforeStart?.(context())
  await hooks.onStarted?.(context())
  await hooks.onStopped?.({ ...context(), how: 'clean' })
  expect(await said()).toEqual([
    ...['db prepare begin -', '1', 'db start begin -', '1', 'db started begin -', '1'],
    ...['db stopped end shutdown', '1', 'db release end shutdown', '1'],
  ])
})

test('all programs of the kind’s directory run in the order of their names', async () => {
  for (const name of ['20-b', '10-a']) await program(`test.d/${name}`, `echo ${name} >> ${directory}/said`)
  await executableHooks(directory).onStarted?.(context())
  expect(await said()).toEqual(['10-a', '20-b'])
})

test('one that fails before a start objects to it, in its own words', async () => {
  await program('test', 'echo the licence has run out >&2; exit 3')
  await expect(executableHooks(directory).onBeforeStart?.(context())).resolves.toEqual({
    veto: `${directory}/test ended with code 3: the licence has run out`,
  })
})

test('one that cannot be run, or is for others, is not there', async () => {
  await writeFile(join(directory, 'test'), 'no program')
  await program('qemu', 'exit 1')
  await expect(executableHooks(directory).onBeforeStart?.(context())).resolves.toBeUndefined()
})

test('one that takes too long is ended', async () => {
  await program('test', 'exec sleep 60')
  const abort = new AbortController()
  const running = executableHooks(directory).onStarted?.({ ...context(), signal: abort.signal })
  abort.abort()
  await expect(running).rejects.toThrow('abort')
})
