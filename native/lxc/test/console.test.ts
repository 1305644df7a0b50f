import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { canRunLxc, describeWhen } from '../../../test/fixtures/index.js'
import { consoleLog, openConsole, start, state, stop } from '../ts/index.js'
import { monitorOf } from './support/monitor-of.js'
import { readUntil } from './support/read-until.js'
import { testContainer } from './support/test-container.js'

const LOTS = 1 << 20
const QUIET_MS = 300

describeWhen(canRunLxc(), 'console', () => {
  test('runs what is typed and shows the output', async () => {
    await using container = await testContainer()
    await start(container)
    const terminal = await openConsole(container)

    const shown = readUntil(terminal.stream, 'fx-42')
    terminal.stream.write('echo fx-$((6 * 7))\n')

    expect(await shown).toContain('echo fx-$((6 * 7))\r\n')
    terminal.close()
  })

  test('is for one at a time, until it is closed', async () => {
    await using container = await testContainer()
    await start(container)
    const first = await openConsole(container)

    await expect(openConsole(container)).rejects.toMatchObject({ code: 'EBUSY' })
    first.close()
    await once(first.stream, 'close')

    const second = await openConsole(container)
    second.close()
  })

  test('ends when the container stops', async () => {
    await using container = await testContainer()
    await start(container)
    const terminal = await openConsole(container)
    const closed = once(terminal.stream.resume(), 'close')

    await stop(container)

    await expect(closed).resolves.toBeDefined()
    // Its descriptor may be another file's by now.
    expect(() => terminal.resize(80, 24)).not.toThrow()
  })

  test('input that nobody reads waits, and does not stop the monitor', async () => {
    await using container = await testContainer({ config: ['lxc.init.cmd = /bin/sleep 1000'] })
    await start(container)
    const terminal = await openConsole(container)

    terminal.stream.write(Buffer.alloc(LOTS, '\n'))
    const echoed = await countUntilQuiet(terminal.stream)

    expect(echoed).toBeLessThan(LOTS)
    expect(await state(container)).toBe('RUNNING')
    terminal.close()
  })

  test('output that nobody reads is dropped, and does not stop the monitor', async () => {
    await using container = await testContainer({ config: ['lxc.init.cmd = /bin/busybox yes'] })
    await start(container)
    const terminal = await openConsole(container)

    while (terminal.stream.readableLength < LOTS) await delay(5)

    expect(await state(container)).toBe('RUNNING')
    terminal.close()
  })

  test('can be opened again and again while the container floods it', async () => {
    await using container = await testContainer({ config: ['lxc.init.cmd = /bin/busybox yes'] })
    await start(container)

    for (let round = 0; round < 20; round++) {
      const terminal = await openConsole(container)
      await once(terminal.stream, 'readable')
      terminal.close()
      await once(terminal.stream, 'close')
    }

    expect(await state(container)).toBe('RUNNING')
  })

  test('can be closed while the monitor waits for its output to be read', async () => {
    await using container = await testContainer({ config: ['lxc.init.cmd = /bin/busybox yes'] })
    const { initPid } = await start(container)
    const terminal = await openConsole(container)
    await once(terminal.stream, 'readable')

    // Nothing is read while this thread waits, and so the monitor comes to stand in a write.
    standsStill(await monitorOf(initPid))
    terminal.close()
    await once(terminal.stream, 'close')

    expect(await state(container)).toBe('RUNNING')
  })

  test('of a stopped container cannot be opened', async () => {
    await using container = await testContainer()

    await expect(openConsole(container)).rejects.toMatchObject({ code: 'ESRCH' })
  })

  test('the first free terminal beside the console has a number above 0', async () => {
    await using container = await testContainer()
    await start(container)

    const terminal = await openConsole(container, { tty: -1 })

    expect(terminal.tty).toBe(1)
    terminal.resize(100, 30)
    terminal.close()
  })

  test('its log has the output of the boot', async () => {
    await using container = await testContainer()
    await start(container)
    const terminal = await openConsole(container)
    const ready = readUntil(terminal.stream, 'fx# ')
    terminal.stream.write('\n')
    await ready
    terminal.close()

    const log = (await consoleLog(container)).toString()

    expect(log).toContain(`FX-READY ${container.name}`)
  })
})

/** Blocks this thread until the process has not been running for a while. */
function standsStill(pid: number): void {
  const usage = () => readFileSync(`/proc/${pid}/schedstat`, 'utf8')
  const pause = new Int32Array(new SharedArrayBuffer(4))
  for (let before = '', now = usage(); before !== now; now = usage()) {
    before = now
    Atomics.wait(pause, 0, 0, QUIET_MS)
  }
}

/** How many bytes `stream` gives before it falls silent. */
function countUntilQuiet(stream: Readable): Promise<number> {
  return new Promise((resolve) => {
    let count = 0
    const finish = () => resolve(count)
    let timer = setTimeout(finish, QUIET_MS)
    stream.on('data', (chunk: Buffer) => {
      count += chunk.length
      clearTimeout(timer)
      timer = setTimeout(finish, QUIET_MS)
    })
  })
}
