import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { expect, test } from '@jest/globals'
import { canRunLxc, describeWhen, tempRoot } from '../../../test/fixtures/index.js'
import { initPid, start, state, stop } from '../ts/index.js'
import { cgroupsOf } from './support/cgroups-of.js'
import { testContainer } from './support/test-container.js'

describeWhen(canRunLxc(), 'a start that fails', () => {
  test.each([
    ['a missing root file system', 'lxc.rootfs.path = dir:/nonexistent/root', '/nonexistent/root'],
    ['a missing init', 'lxc.init.cmd = /sbin/nonexistent', '/sbin/nonexistent'],
    ['an unknown configuration key', 'lxc.nonsense = 1', 'lxc.nonsense'],
  ])('names %s and leaves nothing running', async (_what, line, reason) => {
    await using container = await testContainer()
    const configFile = `${container.path}/${container.name}/bad`
    const good = await readFile(`${container.path}/${container.name}/config`, 'utf8')
    await writeFile(configFile, `${good}${line}\n`)

    const started = start(container, { configFile })

    await expect(started).rejects.toMatchObject({
      name: 'LxcError',
      operation: 'start',
      container: container.name,
      message: expect.stringContaining(reason),
      log: expect.arrayContaining([expect.stringContaining(reason)]),
    })
    expect(await state(container)).toBe('STOPPED')
    expect(cgroupsOf(container.name)).toEqual([])
  })

  test('names a missing bridge', async () => {
    await using container = await testContainer({
      config: ['lxc.net.0.type = veth', 'lxc.net.0.link = nonexistent0'],
    })

    await expect(start(container)).rejects.toMatchObject({ message: expect.stringContaining('nonexistent0') })
  })

  test('has the log lines also where they go to a file', async () => {
    await using container = await testContainer({ config: ['lxc.init.cmd = /sbin/nonexistent'] })
    const logFile = `${container.path}/log`
    await writeFile(logFile, 'lxc old 20260101000000.000 ERROR    start - a.c:b:1 - of another day\n')

    const error = await start(container, { logFile }).catch((reason: unknown) => reason)

    expect(error).toMatchObject({
      log: expect.arrayContaining([expect.stringContaining('/sbin/nonexistent')]),
    })
    expect(error).not.toMatchObject({ log: expect.arrayContaining(['of another day']) })
  })

  test('says that the container is running already', async () => {
    await using container = await testContainer()
    await start(container)

    await expect(start(container)).rejects.toMatchObject({ code: 'EEXIST' })
  })

  test('says that there is no such container', async () => {
    await using root = await tempRoot()
    await mkdir(root.join('empty'))

    await expect(start({ path: root.path, name: 'empty' })).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('an aborted start rejects with the reason and leaves the container stopped', async () => {
    await using container = await testContainer()
    const reason = new Error('changed my mind')
    const controller = new AbortController()

    const started = start(container, { signal: controller.signal })
    setImmediate(() => controller.abort(reason))

    await expect(started).rejects.toBe(reason)
    expect(await state(container)).toBe('STOPPED')
  })

  test('an aborted start of a container that runs already does not stop it', async () => {
    await using container = await testContainer()
    const { initPid: pid } = await start(container)
    const controller = new AbortController()

    const again = start(container, { signal: controller.signal })
    controller.abort()

    await expect(again).rejects.toBe(controller.signal.reason)
    expect(await initPid(container)).toBe(pid)
  })

  test('a start that is aborted at any moment leaves no cgroup', async () => {
    await using container = await testContainer()

    for (let delayMs = 0; delayMs < 20; delayMs++) {
      await start(container, { signal: AbortSignal.timeout(delayMs) }).then(
        () => stop(container),
        () => {},
      )
    }

    expect(await state(container)).toBe('STOPPED')
    expect(cgroupsOf(container.name)).toEqual([])
  })
})
