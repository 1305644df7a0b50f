import { once } from 'node:events'
import type { Readable } from 'node:stream'
import type { ExecOptions, ExecProcess } from '@covirt/core'
import { expect } from '@jest/globals'
import type { Scene } from '../scene.js'
import type { Suite } from '../suite.js'

/**
 * The role `exec`. Its guests have the programs `true`, `false`, `echo`, `cat`, `env`, `pwd`, `id`, `tty`, `yes` and
 * `sleep`, as any system does.
 */
export function execRole({ test }: Suite): void {
  test('a program gives its exit code', async (scene) => {
    expect(await outcome(scene, ['true'])).toMatchObject({ exit: { code: 0 } })
    expect(await outcome(scene, ['false'])).toMatchObject({ exit: { code: 1 } })
  })

  test('arguments reach the program as they are, without a shell', async (scene) => {
    const words = ['$HOME', '`id`', '; false', '*', "it's", '"', '', 'ünïcode', '\n']
    expect(await outcome(scene, ['echo', ...words])).toEqual({
      exit: { code: 0 },
      stdout: `${words.join(' ')}\n`,
      stderr: '',
    })
  })

  test('what a program prints about errors comes on its own stream', async (scene) => {
    const { exit, stdout, stderr } = await outcome(scene, ['cat', '/no/such/file'])
    expect(exit).toEqual({ code: 1 })
    expect(stdout).toBe('')
    expect(stderr).toContain('/no/such/file')
  })

  test('a program that the guest does not have ends with code 127', async (scene) => {
    expect(await outcome(scene, ['no-such-program'])).toMatchObject({ exit: { code: 127 } })
  })

  test('a program reads what is given with the call, and then the end', async (scene) => {
    expect(await outcome(scene, ['cat'], { stdin: 'one\ntwo' })).toMatchObject({ stdout: 'one\ntwo' })
    expect(await outcome(scene, ['cat'], { stdin: '' })).toMatchObject({ exit: { code: 0 }, stdout: '' })
  })

  test('a program reads what is written while it runs', async (scene) => {
    const domain = await scene.running()
    const program = await domain.exec(['cat'])
    for (const word of ['first', 'second']) {
      program.stdin.write(word)
      const [heard] = await scene.until(once(program.stdout, 'data'))
      expect(String(heard)).toBe(word)
    }
    program.stdin.end()
    expect(await scene.until(program.exit)).toEqual({ code: 0 })
  })

  test('a megabyte passes through a program unchanged', async (scene) => {
    const domain = await scene.running()
    const bytes = Buffer.alloc(1 << 20, 'covirt ')
    const program = await domain.exec(['cat'], { stdin: bytes })
    expect((await scene.until(readAll(program.stdout))).equals(bytes)).toBe(true)
  })

  test('a program whose output nobody reads is held', async (scene) => {
    const domain = await scene.running()
    const program = await domain.exec(['yes'])
    await scene.until(once(program.stdout, 'readable'))
    await domain.info()
    expect(program.stdout.readableLength).toBeLessThan(1 << 20)
    program.kill('SIGKILL')
    expect(await scene.until(program.exit)).toEqual({ signal: 'SIGKILL' })
  })

  test('the environment is what is given, and nothing of the caller', async (scene) => {
    process.env.COVIRT_OF_THE_CALLER = 'secret'
    const { stdout } = await outcome(scene, ['env'], { env: { COLOUR: 'deep blue', EMPTY: '' } })
    delete process.env.COVIRT_OF_THE_CALLER
    expect(stdout).toContain('COLOUR=deep blue\n')
    expect(stdout).toContain('EMPTY=\n')
    expect(stdout).not.toMatch(/COVIRT_OF_THE_CALLER|secret/)
  })

  test('a program begins in the directory that is asked for, and in / otherwise', async (scene) => {
    expect(await outcome(scene, ['pwd'], { cwd: '/etc' })).toMatchObject({ stdout: '/etc\n' })
    expect(await outcome(scene, ['pwd'])).toMatchObject({ stdout: '/\n' })
    expect(await outcome(scene, ['pwd'], { cwd: '/no/such' })).toMatchObject({ exit: { code: 126 } })
  })

  test('a program runs as the user and the group that are asked for, and as root otherwise', async (scene) => {
    expect(await outcome(scene, ['id', '-u'], { uid: 1234, gid: 4321 })).toMatchObject({ stdout: '1234\n' })
    expect(await outcome(scene, ['id', '-g'], { uid: 1234, gid: 4321 })).toMatchObject({ stdout: '4321\n' })
    expect(await outcome(scene, ['id', '-u'])).toMatchObject({ stdout: '0\n' })
  })

  test('a program has a terminal only where one is asked for', async (scene) => {
    const terminal = await outcome(scene, ['tty'], { tty: { columns: 100, rows: 30 } })
    expect(terminal.exit).toEqual({ code: 0 })
    expect(terminal.stdout).toContain('/dev/')
    expect((await outcome(scene, ['tty'], { stdin: '' })).exit).toEqual({ code: 1 })
  })

  test('a program is ended by the signal that is sent to it', async (scene) => {
    const domain = await scene.running()
    const program = await domain.exec(['sleep', '1000'])
    program.kill()
    expect(await scene.until(program.exit)).toEqual({ signal: 'SIGTERM' })
    program.kill()
  })

  test('a program whose call is cancelled while it runs is killed, and its exit rejects', async (scene) => {
    const domain = await scene.running()
    const controller = new AbortController()
    const program = await domain.exec(['sleep', '1000'], { signal: controller.signal })
    controller.abort()
    await expect(scene.until(program.exit)).rejects.toMatchObject({ code: 'OPERATION_ABORTED' })
  })

  test('a signal that fires after the end of the program does nothing', async (scene) => {
    const domain = await scene.running()
    const controller = new AbortController()
    const program = await domain.exec(['true'], { signal: controller.signal })
    await scene.until(program.exit)
    controller.abort()
    expect(await program.exit).toEqual({ code: 0 })
  })

  test('programs end with their guest', async (scene) => {
    const domain = await scene.running()
    const program = await domain.exec(['sleep', '1000'])
    await domain.destroy()
    expect(await scene.until(program.exit)).toEqual({ signal: 'SIGKILL' })
  })

  test('programs end with the connection', async (scene) => {
    const domain = await scene.running()
    const program = await domain.exec(['sleep', '1000'])
    await scene.reopen()
    await expect(scene.until(program.exit)).rejects.toMatchObject({ code: 'OPERATION_ABORTED' })
    expect(await (await scene.again(domain)).isActive()).toBe(true)
  })

  test('programs run at the same time', async (scene) => {
    const domain = await scene.running()
    const outputs = await Promise.all(
      [1, 2, 3].map(async (number) => collect(scene, await domain.exec(['echo', String(number)]))),
    )
    expect(outputs.map(({ stdout }) => stdout)).toEqual(['1\n', '2\n', '3\n'])
  })

  test('what cannot be passed to a program is an invalid argument', async (scene) => {
    const domain = await scene.running()
    const mistakes: readonly [argv: readonly string[], options?: ExecOptions][] = [
      [[]],
      [['']],
      [['echo', 'a\0b']],
      [['true'], { env: { 'A=B': 'c' } }],
      [['true'], { env: { A: '\0' } }],
      [['true'], { cwd: 'etc' }],
      [['true'], { uid: -1 }],
      [['true'], { tty: { columns: 0, rows: 24 } }],
      [['true'], { namespaces: ['user', 'uzer' as 'user'] }],
    ]
    for (const [argv, options] of mistakes) {
      await scene.refuses('INVALID_ARG', () => domain.exec(argv, options))
    }
  })
}

interface Outcome {
  readonly exit: unknown
  readonly stdout: string
  readonly stderr: string
}

/** What becomes of a program in a new guest. */
async function outcome(scene: Scene, argv: readonly string[], options?: ExecOptions): Promise<Outcome> {
  const domain = await scene.running()
  const outcome = await collect(scene, await domain.exec(argv, options))
  await domain.destroy()
  return outcome
}

async function collect(scene: Scene, program: ExecProcess): Promise<Outcome> {
  const { exit, stdout, stderr } = program
  const all = await scene.until(Promise.all([exit, readAll(stdout), readAll(stderr)]))
  return { exit: all[0], stdout: all[1].toString(), stderr: all[2].toString() }
}

async function readAll(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}
