import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from '@jest/globals'
import { canRunLxc, describeWhen } from '../../../test/fixtures/index.js'
import { watchPidfd } from '../ts/index.js'
import { exitOf } from './support/exit-of.js'

describeWhen(canRunLxc(), 'processes', () => {
  test('the exit of a process that is not a child of ours is noticed', async () => {
    const shell = spawn('/bin/sh', ['-c', 'sleep 1000 & echo $!; exit'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const [line] = (await once(shell.stdout, 'data')) as [Buffer]
    const orphan = Number(line.toString())
    const exited = exitOf(orphan)

    process.kill(orphan, 'SIGKILL')

    await expect(exited).resolves.toBeUndefined()
  })

  test('a watch can send signals, until its process has ended', async () => {
    const child = spawn('/bin/sleep', ['1000'])
    await once(child, 'spawn')
    let onExit = () => {}
    const exited = new Promise<void>((resolve) => {
      onExit = resolve
    })
    const watch = watchPidfd(child.pid ?? -1, () => onExit())

    watch.kill(15)
    await exited

    expect(() => watch.kill(15)).toThrow('ESRCH')
  })

  test('a watch that was closed stays silent', async () => {
    const child = spawn('/bin/sleep', ['1000'])
    await once(child, 'spawn')
    let calls = 0
    watchPidfd(child.pid ?? -1, () => calls++).close()

    child.kill('SIGKILL')
    await once(child, 'exit')

    expect(calls).toBe(0)
  })

  test('a process that does not exist cannot be watched', () => {
    expect(() => watchPidfd(2 ** 22 + 1, () => {})).toThrow(
      expect.objectContaining({ name: 'LxcError', code: 'ESRCH' }),
    )
  })
})
