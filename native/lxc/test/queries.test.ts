import { readFile, writeFile } from 'node:fs/promises'
import { expect, test } from '@jest/globals'
import { canLimitContainers, canRunLxc, describeWhen, testWhen } from '../../../test/fixtures/index.js'
import {
  attach,
  type Container,
  cgroupItem,
  configItem,
  containerCgroups,
  interfaces,
  runningConfigItem,
  setCgroupItem,
  start,
  state,
  statFile,
} from '../ts/index.js'
import { monitorOf } from './support/monitor-of.js'
import { testContainer } from './support/test-container.js'

describeWhen(canRunLxc(), 'questions about a container', () => {
  test('a configuration value is that of the file', async () => {
    await using container = await testContainer({ config: ['lxc.signal.halt = SIGUSR1'] })

    expect(await configItem(container, 'lxc.uts.name')).toBe(container.name)
    expect(await configItem(container, 'lxc.nonsense')).toBeUndefined()
  })

  test('a value that a container runs with is the one that liblxc has chosen, and none while it does not run', async () => {
    await using container = await testContainer({ config: ['lxc.net.3.type = veth'] })
    expect(await runningConfigItem(container, 'lxc.net.3.name')).toBeUndefined()
    await start(container)

    expect(await runningConfigItem(container, 'lxc.net.3.name')).toBe('eth0')
    expect(await runningConfigItem(container, 'lxc.net.3.veth.pair')).toMatch(/^veth/)
    expect(await runningConfigItem(container, 'lxc.net.3.hwaddr')).toBeUndefined()
    expect(await runningConfigItem(container, 'lxc.net.1.type')).toBeUndefined()
  })

  test.each([
    ['files', (container: Container) => statFile({ container }, '/', { follow: true })],
    ['programs', (container: Container) => attach(container, ['/bin/true'])],
  ])('%s of one whose configuration cannot be read: that is said', async (_what, ask) => {
    await using container = await testContainer()
    const file = `${container.path}/${container.name}/config`
    const good = await readFile(file)
    await writeFile(file, 'lxc.nonsense = 1\n')

    const asked = ask(container)

    await expect(asked).rejects.toMatchObject({
      code: 'EINVAL',
      message: expect.stringContaining('configuration'),
    })
    await writeFile(file, good)
  })

  testWhen(canLimitContainers(), 'a cgroup value that was set is the one that is read', async () => {
    await using container = await testContainer()
    await start(container)

    await setCgroupItem(container, 'pids.max', '77')

    expect((await cgroupItem(container, 'pids.max')).trim()).toBe('77')
  })

  test('a cgroup value that does not exist is an error', async () => {
    await using container = await testContainer()
    await start(container)

    await expect(cgroupItem(container, 'nonsense.value')).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(setCgroupItem(container, 'pids.max', 'nonsense')).rejects.toMatchObject({ code: 'EINVAL' })
  })

  test('the cgroup directories are those that hold init', async () => {
    await using container = await testContainer()
    const { initPid } = await start(container)

    const directories = [...(await containerCgroups(initPid)).values()]

    expect(directories.length).toBeGreaterThan(0)
    expect(new Set(directories.map((path) => path.split('/').at(-1)))).toEqual(
      new Set([`lxc.payload.${container.name}`]),
    )
  })

  test('the interfaces of a container without network are its loopback', async () => {
    await using container = await testContainer()
    await start(container)

    expect(await interfaces(container)).toEqual([{ name: 'lo', mac: '00:00:00:00:00:00', addresses: [] }])
  })

  test('a cancelled question rejects with the reason', async () => {
    await using container = await testContainer()
    const reason = new Error('enough')

    await expect(state(container, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  test('a monitor that is stopped holds up questions about its own container only', async () => {
    await using container = await testContainer()
    await using other = await testContainer()
    const { initPid } = await start(container)
    await start(other)
    const monitor = await monitorOf(initPid)
    process.kill(monitor, 'SIGSTOP')

    const held = [1, 2, 3, 4, 5, 6].map(() => state(container))
    const answered = await state(other)
    process.kill(monitor, 'SIGCONT')

    expect(answered).toBe('RUNNING')
    expect(await Promise.all(held)).toEqual(Array(6).fill('RUNNING'))
  })
})
