import { describe, expect, test } from '@jest/globals'
import { covirtProcess, onTest } from './run-covirt.js'

const exec = (...args: string[]) => onTest(['exec', ...args])

describe('exec', () => {
  test('prints what the program prints, each on its stream, and ends with its code', async () => {
    expect(await exec('test', '--', 'echo', '-n', '$HOME')).toEqual({
      code: 0,
      stdout: '-n $HOME\n',
      stderr: '',
    })
    const failed = await exec('test', '--', 'cat', '/missing')
    expect(failed).toMatchObject({ code: 1, stdout: '' })
    expect(failed.stderr).toContain('/missing')
    expect(await exec('test', 'no-such-program')).toMatchObject({ code: 127 })
  })

  test('passes standard input on, to its end', async () => {
    const input = 'line\n'.repeat(100_000)
    const outcome = await covirtProcess(['-c', 'test:///default', 'exec', 'test', 'cat'], { input })
    expect(outcome.code).toBe(0)
    expect(outcome.stdout === input).toBe(true)
  })

  test('sets variables, user and directory', async () => {
    expect((await exec('test', '--env', 'A=b=c', '--env', 'D=', 'env')).stdout).toContain('A=b=c\nD=\n')
    expect((await exec('test', '--uid', '7', '--', 'id', '-u')).stdout).toBe('7\n')
    expect((await exec('test', '--cwd', '/tmp', 'pwd')).stdout).toBe('/tmp\n')
  })

  test('gives a terminal where one is asked for', async () => {
    expect(await exec('test', 'tty')).toMatchObject({ code: 1, stdout: 'not a tty\n' })
    expect(await exec('--tty', 'test', 'tty')).toMatchObject({ code: 0, stdout: '/dev/pts/0\n' })
  })

  test('prints all of the outcome as JSON', async () => {
    const { code, stdout } = await onTest(['--json', 'exec', 'test', 'false'])
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toEqual({ code: 1, stdout: '', stderr: '' })
  })

  test('refuses what makes no sense', async () => {
    expect(await exec('test')).toMatchObject({ code: 2 })
    expect(await exec('--uid', 'root', 'test', 'id')).toMatchObject({ code: 2 })
    expect(await exec('--env', 'A', 'test', 'env')).toMatchObject({ code: 1 })
  })
})
