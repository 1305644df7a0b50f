import { readFile } from 'node:fs/promises'
import { expect, test } from '@jest/globals'
import { canRunLxc, describeWhen } from '../../../test/fixtures/index.js'
import {
  initPid,
  isFrozen,
  listActive,
  reboot,
  setFrozen,
  shutdown,
  start,
  state,
  stop,
  waitAfterExit,
  watchInit,
} from '../ts/index.js'
import { booted } from './support/booted.js'
import { exitOf } from './support/exit-of.js'
import { monitorOf } from './support/monitor-of.js'
import { testContainer } from './support/test-container.js'

describeWhen(canRunLxc(), 'life of a container', () => {
  test('a container that was never started is stopped, without an init', async () => {
    await using container = await testContainer()

    expect(await state(container)).toBe('STOPPED')
    expect(await initPid(container)).toBeUndefined()
  })

  test('start resolves with the pid of a running init', async () => {
    await using container = await testContainer()

    const started = await start(container)

    expect(await state(container)).toBe('RUNNING')
    expect(await initPid(container)).toBe(started.initPid)
    expect(await listActive(container.path)).toEqual([container.name])
    expect(await readFile(`/proc/${started.initPid}/comm`, 'utf8')).toBe('ctinit\n')
  })

  test('the watch on init fires when the container is killed', async () => {
    await using container = await testContainer()
    const { initPid: pid } = await start(container)
    const exited = new Promise<void>((resolve) => {
      watchInit(container, resolve)
    })

    await stop(container)

    await exited
    expect(await waitAfterExit(container, pid)).toEqual({ outcome: 'stopped' })
  })

  test('stop of a stopped container does nothing', async () => {
    await using container = await testContainer()

    await expect(stop(container)).resolves.toBeUndefined()
  })

  test('shutdown sends the signal that powers this init off', async () => {
    await using container = await testContainer()
    const { initPid: pid } = await start(container)
    const exited = exitOf(pid)
    await booted(container)

    await shutdown(container)

    await exited
    expect(await waitAfterExit(container, pid)).toEqual({ outcome: 'stopped' })
    expect(await readFile(`${container.rootfs}/var/log/ctinit`, 'utf8')).toContain('FX-POWEROFF')
  })

  test('shutdown of a stopped container is an error', async () => {
    await using container = await testContainer()

    await expect(shutdown(container)).rejects.toMatchObject({ name: 'LxcError', code: 'ESRCH' })
  })

  test('a reboot gives the container a new init', async () => {
    await using container = await testContainer()
    const { initPid: pid } = await start(container)
    const exited = exitOf(pid)
    await booted(container)

    await reboot(container)
    await exited
    const after = await waitAfterExit(container, pid)

    expect(after).toEqual({ outcome: 'rebooted', initPid: await initPid(container) })
    expect(after).not.toMatchObject({ initPid: pid })
    expect(await state(container)).toBe('RUNNING')
  })

  test('the monitor outlives a broken pipe, and init handles that signal as usual', async () => {
    await using container = await testContainer({ config: ['lxc.init.cmd = /bin/sleep 1000'] })
    const { initPid: pid } = await start(container)
    process.kill(await monitorOf(pid), 'SIGPIPE')

    expect(await state(container)).toBe('RUNNING')
    const status = await readFile(`/proc/${pid}/status`, 'utf8')
    const ignored = BigInt(`0x${/^SigIgn:\s+(\w+)$/m.exec(status)?.[1]}`)
    expect(ignored & (1n << 12n)).toBe(0n)
  })

  test('a frozen container counts as frozen until it is thawed', async () => {
    await using container = await testContainer()
    const { initPid: pid } = await start(container)

    await setFrozen(pid, true)
    expect(await isFrozen(pid)).toBe(true)
    await setFrozen(pid, false)

    expect(await isFrozen(pid)).toBe(false)
  })

  test('stop kills a frozen container within a second', async () => {
    await using container = await testContainer()
    const { initPid: pid } = await start(container)
    await setFrozen(pid, true)
    const before = performance.now()

    await stop(container)

    expect(await state(container)).toBe('STOPPED')
    expect(performance.now() - before).toBeLessThan(1000)
  })
})
