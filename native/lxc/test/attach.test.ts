import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { expect, test } from '@jest/globals'
import { canRunLxc, describeWhen } from '../../../test/fixtures/index.js'
import { attach, containerCgroups, start } from '../ts/index.js'
import { deadlyLibLxc } from './support/deadly-liblxc.js'
import { exitOf } from './support/exit-of.js'
import { readUntil } from './support/read-until.js'
import { testContainer } from './support/test-container.js'

/** A line of a configuration that may mean something to programs: they are brought in by liblxc. */
const onlyLibLxcKnows = 'lxc.ephemeral = 0'

describeWhen(canRunLxc(), 'attach', () => {
  test('runs a program inside, with its input, output and exit code', async () => {
    await using container = await testContainer()
    await start(container)

    const program = await attach(container, ['/bin/sh', '-c', 'hostname; cat; echo oops >&2; exit 7'])
    program.stdin.end('from outside')
    const [out, error, exit] = await Promise.all([text(program.stdout), text(program.stderr), program.exited])

    expect(out).toBe(`${container.name}\nfrom outside`)
    expect(error).toBe('oops\n')
    expect(exit).toEqual({ code: 7 })
  })

  test('gives it the wanted user and directory, and nothing of our environment', async () => {
    await using container = await testContainer()
    await start(container)

    const program = await attach(container, ['/bin/sh', '-c', 'id -u; id -g; pwd; /bin/env | /bin/sort'], {
      uid: 1000,
      gid: 1000,
      cwd: '/tmp',
      env: { GREETING: 'good morning' },
    })

    const lines = (await text(program.stdout))
      .split('\n')
      .filter((line) => !/^(SHLVL|PWD|PATH)=|^$/.test(line))
    expect(lines).toEqual(['1000', '1000', '/tmp', 'GREETING=good morning', 'container=lxc'])
  })

  test('tells the signal that killed the program', async () => {
    await using container = await testContainer()
    await start(container)

    const { exited } = await attach(container, ['/bin/sh', '-c', 'kill -TERM $$'])

    expect(await exited).toEqual({ signal: 'SIGTERM' })
  })

  test('exits with 127 where there is no such program', async () => {
    await using container = await testContainer()
    await start(container)

    expect(await (await attach(container, ['/bin/nonexistent'])).exited).toEqual({ code: 127 })
  })

  test('is in the same control groups by way of a member of them as it is by being moved', async () => {
    await using container = await testContainer()
    const { initPid } = await start(container)
    const groups = (pid: number) => readFile(`/proc/${pid}/cgroup`, 'utf8')

    const moved = await attach(container, ['/bin/cat'])
    const born = await attach(container, ['/bin/cat'], { initPid })

    expect(await groups(born.pid)).toBe(await groups(moved.pid))
    for (const { stdin, exited } of [moved, born]) {
      stdin.end()
      expect(await exited).toEqual({ code: 0 })
    }
  })

  test.each([
    ['was moved into its control groups', false, []],
    ['came into it by way of a member', true, [onlyLibLxcKnows]],
    ['came into it without liblxc', true, []],
  ])('aborting kills the program that %s', async (_, isKnown, config) => {
    await using container = await testContainer({ config })
    const { initPid } = await start(container)
    const controller = new AbortController()
    const program = await attach(container, ['/bin/sh', '-c', 'echo ready; exec sleep 1000'], {
      signal: controller.signal,
      initPid: isKnown ? initPid : undefined,
    })
    await readUntil(program.stdout, 'ready')
    const exited = exitOf(await findProcess(initPid, 'sleep 1000'))

    controller.abort()

    await expect(program.exited).rejects.toBe(controller.signal.reason)
    await expect(exited).resolves.toBeUndefined()
  })

  test('runs a program also where the member of its control groups is killed that brings it in', async () => {
    const library = await deadlyLibLxc()
    await using container = await testContainer({ config: [onlyLibLxcKnows] })
    const { initPid } = await start(container)

    process.env.COVIRT_LIBLXC = library
    const { stdout } = await attach(container, ['/bin/echo', 'here'], { initPid }).finally(() => {
      delete process.env.COVIRT_LIBLXC
    })

    expect(await text(stdout)).toBe('here\n')
  })

  test('needs no liblxc where no security module labels processes', async () => {
    await using container = await testContainer({ config: ['lxc.environment = KIND=test'] })
    const { initPid } = await start(container)
    const isLabelled = await readFile(`/proc/${initPid}/attr/current`, 'utf8').catch(() => '')

    process.env.COVIRT_LIBLXC = '/nonexistent'
    const attached = attach(container, ['/bin/sh', '-c', 'echo $KIND'], { initPid }).finally(() => {
      delete process.env.COVIRT_LIBLXC
    })

    if (isLabelled === '') expect(await text((await attached).stdout)).toBe('test\n')
    else await expect(attached).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('to a stopped container is an error', async () => {
    await using container = await testContainer()

    await expect(attach(container, ['/bin/true'])).rejects.toMatchObject({
      name: 'LxcError',
      operation: 'attach',
      code: 'ESRCH',
    })
  })
})

/** A process in the container of this init whose command line contains `text`. */
async function findProcess(initPid: number, text: string): Promise<number> {
  const groups = await containerCgroups(initPid)
  const directory = groups.get('pids') ?? groups.get('')
  // In version 2 what is brought in is in a leaf.
  const lists = [`${directory}/cgroup.procs`, `${directory}/.lxc/cgroup.procs`]
  const texts = await Promise.all(lists.map((list) => readFile(list, 'utf8').catch(() => '')))
  for (const pid of texts.join('').trim().split('\n')) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8')
    if (command.replaceAll('\0', ' ').includes(text)) return Number(pid)
  }
  throw new Error(`no process of the container runs ${text}`)
}
