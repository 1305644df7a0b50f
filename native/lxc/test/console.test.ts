import { once } from 'node:events'
import { expect, test } from '@jest/globals'
import { canRunLxc, describeWhen } from '../../../test/fixtures/index.js'
import { consoleLog, openConsole, start, stop } from '../ts/index.js'
import { readUntil } from './support/read-until.js'
import { testContainer } from './support/test-container.js'

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
  })

  test('takes more than a container reads without stopping the event loop', async () => {
    await using container = await testContainer({ config: ['lxc.init.cmd = /bin/sleep 1000'] })
    await start(container)
    const terminal = await openConsole(container)

    const flushed = terminal.stream.write(Buffer.alloc(1 << 20, 'x'))
    await new Promise((resolve) => setImmediate(resolve))

    expect(flushed).toBe(false)
    expect(terminal.stream.writableLength).toBeGreaterThan(0)
    terminal.close()
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
