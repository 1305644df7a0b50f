import { once } from 'node:events'
import type { Readable } from 'node:stream'
import type { Domain, ExecOptions, ExecProcess } from '@covirt/core'
import { expect } from '@jest/globals'
import type { Scene } from '../scene.js'
import type { Suite } from '../suite.js'

/**
 * The role `exec`. Its guests have the programs `true`, `false`, `echo`, `cat`, `env`, `pwd`, `id`, `tty`, `yes` and
 * `sleep`, as any system does.
 */
export function execRole({ test, onOneGuest }: Suite): void {
  onOneGuest('plain', 'a program gives its exit code', async (domain, scene) => {
    expect(await outcome(domain, scene, ['true'])).toMatchObject({ exit: { code: 0 } })
    expect(await outcome(domain, scene, ['false'])).toMatchObject({ exit: { code: 1 } })
  })

  onOneGuest('plain', 'arguments reach the program as they are, without a shell', async (domain, scene) => {
    const words = ['$HOME', '`id`', '; false', '*', "it's", '"', '', 'ünïcode', '\n']
    expect(await outcome(domain, scene, ['echo', ...words])).toEqual({
      exit: { code: 0 },
      stdout: `${words.join(' ')}\n`,
      stderr: '',
    })
  })

  onOneGuest('plain', 'what a program prints about errors comes on its own stream', async (domain, scene) => {
    const { exit, stdout, stderr } = await outcome(domain, scene, ['cat', '/no/such/file'])
    expect(exit).toEqual({ code: 1 })
    expect(stdout).toBe('')
    expect(stderr).toContain('/no/such/file')
  })

  onOneGuest('plain', 'a program that the guest does not have ends with code 127', async (domain, scene) => {
    expect(await outcome(domain, scene, ['no-such-program'])).toMatchObject({ exit: { code: 127 } })
  })

  onOneGuest(
    'plain',
    'a program reads what is given with the call, and then the end',
    async (domain, scene) => {
      expect(await outcome(domain, scene, ['cat'], { stdin: 'one\ntwo' })).toMatchObject({
        stdout: 'one\ntwo',
      })
      expect(await outcome(domain, scene, ['cat'], { stdin: '' })).toMatchObject({
        exit: { code: 0 },
        stdout: '',
      })
    },
  )

  onOneGuest('plain', 'a program reads what is written while it runs', async (domain, scene) => {
    const program = await domain.exec(['cat'])
    for (const word of ['first', 'second']) {
      program.stdin.write(word)
      const [heard] = await scene.until(once(program.stdout, 'data'))
      expect(String(heard)).toBe(word)
    }
    program.stdin.end()
    expect(await scene.until(program.exit)).toEqual({ code: 0 })
  })

  onOneGuest('plain', 'a megabyte passes through a program unchanged', async (domain, scene) => {
    const bytes = Buffer.alloc(1 << 20, 'covirt ')
    const program = await domain.exec(['cat'], { stdin: bytes })
    expect((await scene.until(readAll(program.stdout))).equals(bytes)).toBe(true)
  })

  onOneGuest('plain', 'a program whose output nobody reads is held', async (domain, scene) => {
    const program = await domain.exec(['yes'])
    await scene.until(once(program.stdout, 'readable'))
    await domain.info()
    expect(program.stdout.readableLength).toBeLessThan(1 << 20)
    program.kill('SIGKILL')
    expect(await scene.until(program.exit)).toEqual({ signal: 'SIGKILL' })
  })

  onOneGuest(
    'plain',
    'the environment is what is given, and nothing of the caller',
    async (domain, scene) => {
      process.env.COVIRT_OF_THE_CALLER = 'secret'
      const { stdout } = await outcome(domain, scene, ['env'], { env: { COLOUR: 'deep blue', EMPTY: '' } })
      delete process.env.COVIRT_OF_THE_CALLER
      expect(stdout).toContain('COLOUR=deep blue\n')
      expect(stdout).toContain('EMPTY=\n')
      expect(stdout).not.toMatch(/COVIRT_OF_THE_CALLER|secret/)
    },
  )

  onOneGuest(
    'plain',
    'a program begins in the directory that is asked for, and in / otherwise',
    async (domain, scene) => {
      expect(await outcome(domain, scene, ['pwd'], { cwd: '/etc' })).toMatchObject({ stdout: '/etc\n' })
      expect(await outcome(domain, scene, ['pwd'])).toMatchObject({ stdout: '/\n' })
      expect(await outcome(domain, scene, ['pwd'], { cwd: '/no/such' })).toMatchObject({
        exit: { code: 126 },
      })
    },
  )

  onOneGuest(
    'plain',
    'a program runs as the user and the group that are asked for, and as root otherwise',
    async (domain, scene) => {
      expect(await outcome(domain, scene, ['id', '-u'], { uid: 1234, gid: 4321 })).toMatchObject({
        stdout: '1234\n',
      })
      expect(await outcome(domain, scene, ['id', '-g'], { uid: 1234, gid: 4321 })).toMatchObject({
        stdout: '4321\n',
      })
      expect(await outcome(domain, scene, ['id', '-u'])).toMatchObject({ stdout: '0\n' })
    },
  )

  onOneGuest('plain', 'a program has a terminal only where one is asked for', async (domain, scene) => {
    const terminal = await outcome(domain, scene, ['tty'], { tty: { columns: 100, rows: 30 } })
    expect(terminal.exit).toEqual({ code: 0 })
    expect(terminal.stdout).toContain('/dev/')
    expect((await outcome(domain, scene, ['tty'], { stdin: '' })).exit).toEqual({ code: 1 })
  })

  onOneGuest('plain', 'a program is ended by the signal that is sent to it', async (domain, scene) => {
    const program = await domain.exec(['sleep', '1000'])
    program.kill()
    expect(await scene.until(program.exit)).toEqual({ signal: 'SIGTERM' })
    program.kill()
  })

  onOneGuest(
    'plain',
    'a program whose call is cancelled while it runs is killed, and its exit rejects',
    async (domain, scene) => {
      const controller = new AbortController()
      const program = await domain.exec(['sleep', '1000'], { signal: controller.signal })
      controller.abort()
      await expect(scene.until(program.exit)).rejects.toMatchObject({ code: 'OPERATION_ABORTED' })
    },
  )

  onOneGuest(
    'plain',
    'a signal that fires after the end of the program does nothing',
    async (domain, scene) => {
      const controller = new AbortController()
      const program = await domain.exec(['true'], { signal: controller.signal })
      await scene.until(program.exit)
      controller.abort()
      expect(await program.exit).toEqual({ code: 0 })
    },
  )

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

  onOneGuest('plain', 'programs run at the same time', async (domain, scene) => {
    const outputs = await Promise.all(
      [1, 2, 3].map(async (number) => collect(scene, await domain.exec(['echo', String(number)]))),
    )
    expect(outputs.map(({ stdout }) => stdout)).toEqual(['1\n', '2\n', '3\n'])
  })

  onOneGuest('plain', 'what cannot be passed to a program is an invalid argument', async (domain, scene) => {
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

/** What becomes of a program. */
async function outcome(
  domain: Domain,
  scene: Scene,
  argv: readonly string[],
  options?: ExecOptions,
): Promise<Outcome> {
  return collect(scene, await domain.exec(argv, options))
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
