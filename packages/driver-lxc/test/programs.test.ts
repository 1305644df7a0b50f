import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import type { Domain, ExecOptions } from '@covirt/core'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { canRunLxc, describeWhen } from '../../../test/fixtures/index.js'
import { eventually, LxcWorld, removeRootfs } from './lxc-fixture.js'

describeWhen(canRunLxc(), 'programs in a container', () => {
  let world: LxcWorld
  let connection: Awaited<ReturnType<LxcWorld['open']>>
  let domain: Domain

  beforeAll(async () => {
    world = await LxcWorld.make()
    connection = await world.open()
    domain = await connection.domains.create(world.domainXml({ name: world.uniqueName('programs') }))
    await world.ready(domain)
  })

  afterAll(async () => {
    await domain.destroy()
    await connection.close()
    await world[Symbol.asyncDispose]()
    await removeRootfs()
  })

  const shell = async (script: string, options: ExecOptions = {}) => {
    const program = await domain.exec(['/bin/sh', '-c', script], { stdin: '', ...options })
    const [stdout, stderr, exit] = await Promise.all([
      text(program.stdout),
      text(program.stderr),
      program.exit,
    ])
    return { stdout, stderr, exit }
  }

  /** What `/proc/PID/status` tells, of a program of ours and of the container's init. */
  const status = async (field: string) => {
    const pattern = new RegExp(`^${field}:\\s*(.*)$`, 'm')
    const ofProgram = pattern.exec((await shell('cat /proc/self/status')).stdout)?.[1]
    const ofInit = pattern.exec(readFileSync(`/proc/${await world.initPid(domain)}/status`, 'utf8'))?.[1]
    return { ofProgram, ofInit }
  }

  test('they are in all namespaces of the container', async () => {
    const init = await world.initPid(domain)
    const program = await domain.exec(['sleep', '1000'])
    const namespaces = (pid: number) =>
      readdirSync(`/proc/${pid}/ns`).map((name) => readlinkSync(`/proc/${pid}/ns/${name}`))
    expect(namespaces(program.pid as number)).toEqual(namespaces(init))
    program.kill('SIGKILL')
    await program.exit
  })

  test('they are in the control groups of the container', async () => {
    const program = await domain.exec(['sleep', '1000'])
    // Inner nodes of version 2 hold no processes: liblxc makes a leaf for those that it brings.
    const groups = (pid: number) => readFileSync(`/proc/${pid}/cgroup`, 'utf8').replace(/\/\.lxc$/m, '')
    expect(groups(program.pid as number)).toBe(groups(await world.initPid(domain)))
    program.kill('SIGKILL')
    await program.exit
  })

  test('they have no more capabilities than its init may have', async () => {
    const { ofProgram, ofInit } = await status('CapBnd')
    expect(ofProgram).toMatch(/^[0-9a-f]{16}$/)
    expect(ofProgram).toBe(ofInit)
  })

  test('they are held by the same seccomp filter', async () => {
    expect(await status('Seccomp')).toEqual({ ofProgram: '2', ofInit: '2' })
  })

  test('they inherit no descriptor of ours', async () => {
    const { stdout } = await shell('ls /proc/self/fd')
    // The fourth is the directory that ls reads.
    expect(stdout).toBe('0\n1\n2\n3\n')
  })

  test('they can open their output by its name, whoever they run as', async () => {
    const script = 'echo one > /dev/stdout; echo two > /dev/stderr'
    expect(await shell(script)).toEqual({ stdout: 'one\n', stderr: 'two\n', exit: { code: 0 } })
    expect(await shell(script, { uid: 1000, gid: 1000 })).toMatchObject({ exit: { code: 0 } })
  })

  test('the environment is on no command line of the host', async () => {
    const program = await domain.exec(['sleep', '1000'], { env: { PASSWORD: 'correct-horse' } })
    const lines = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => contentOf(`/proc/${pid}/cmdline`))
    expect(lines.filter((line) => line.includes('correct-horse'))).toEqual([])
    program.kill('SIGKILL')
    await program.exit
  })

  test('cancelling kills what the program has started, too', async () => {
    const controller = new AbortController()
    const program = await domain.exec(['/bin/sh', '-c', 'sleep 4711 & echo started; wait'], {
      signal: controller.signal,
    })
    await once(program.stdout, 'data')
    controller.abort()
    await expect(program.exit).rejects.toMatchObject({ code: 'OPERATION_ABORTED' })
    await eventually(async () => {
      const { stdout } = await shell('ps')
      return stdout.includes('sleep 4711') ? undefined : true
    })
  })

  test('a program that goes on in the background does not keep the call', async () => {
    const program = await domain.exec(['/bin/sh', '-c', 'sleep 1000 > /dev/null 2>&1 < /dev/null & echo $!'])
    expect(await program.exit).toEqual({ code: 0 })
    const pid = (await text(program.stdout)).trim()
    await shell(`kill ${pid}`)
  })

  test('a terminal has the size that it is given, and that it is resized to', async () => {
    const program = await domain.exec(['/bin/sh', '-c', 'stty size; read line; stty size'], {
      tty: { columns: 100, rows: 30 },
    })
    const output = text(program.stdout)
    await once(program.stdout, 'readable')
    program.resize(132, 50)
    program.stdin.write('\n')
    expect(await output).toMatch(/30 100[\s\S]*50 132/)
    expect(await program.exit).toEqual({ code: 0 })
  })

  test('a terminal is controlled: ^C interrupts, ^D ends the input', async () => {
    const tty = { columns: 80, rows: 24 }
    const interrupted = await domain.exec(['/bin/sh', '-c', 'echo ready; exec sleep 1000'], { tty })
    await once(interrupted.stdout, 'data')
    interrupted.stdin.write('\x03')
    expect(await interrupted.exit).toEqual({ signal: 'SIGINT' })
    expect(await (await domain.exec(['cat'], { tty, stdin: '' })).exit).toEqual({ code: 0 })
  })

  test('all that a terminal printed is read, however late', async () => {
    const program = await domain.exec(['/bin/sh', '-c', 'yes | head -n 100000'], {
      tty: { columns: 80, rows: 24 },
    })
    expect((await text(program.stdout)).split('\r\n')).toHaveLength(100_001)
    expect(await program.exit).toEqual({ code: 0 })
  })

  test('a login shell answers', async () => {
    const program = await domain.shell({ tty: { columns: 80, rows: 24 } })
    const output = text(program.stdout)
    program.stdin.write('echo "home is $HOME, I am $(id -u)"; exit 3\n')
    expect(await output).toContain('home is /root, I am 0')
    expect(await program.exit).toEqual({ code: 3 })
  })

  test('a program can be run in chosen namespaces, and stays with the host in the others', async () => {
    const own = readlinkSync('/proc/self/ns/mnt')
    const program = await domain.exec(['readlink', '/proc/self/ns/mnt', '/proc/self/ns/net'], {
      namespaces: ['net'],
    })
    const [mnt, net] = (await text(program.stdout)).split('\n')
    expect(mnt).toBe(own)
    expect(net).toBe(readlinkSync(`/proc/${await world.initPid(domain)}/ns/net`))
  })

  test('arguments that are too long are an invalid argument', async () => {
    await expect(domain.exec(['echo', 'x'.repeat(4 << 20)])).rejects.toMatchObject({ code: 'INVALID_ARG' })
  })
})

/** Processes come and go. */
function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
