import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { canRunLxc, describeWhen } from '../../../test/fixtures/index.js'
import { start, waitAfterExit } from '../ts/index.js'
import { exitOf } from './support/exit-of.js'
import { type TestContainer, testContainer } from './support/test-container.js'

/** Writes each of its arguments on a line, in brackets. */
const tell = 'for each; do echo "[$each]"; done > /out.new; mv /out.new /out; exec sleep 1000'
const odd = ['a  "b"', '', "it's", '$HOME *', '--', 'two\nlines', ' ']
const told = odd.map((each) => `[${each}]\n`).join('')

async function written(container: TestContainer): Promise<string> {
  for (;;) {
    const text = await readFile(join(container.rootfs, 'out'), 'utf8').catch(() => undefined)
    if (text !== undefined) return text
    await delay(2)
  }
}

describeWhen(canRunLxc(), 'the arguments of an init', () => {
  test('take the place of the configured command, and arrive as they are', async () => {
    await using container = await testContainer()

    await start(container, { argv: ['/bin/sh', '-c', tell, 'sh', ...odd] })

    expect(await written(container)).toBe(told)
  })

  test('are the same after a restart of the container by its monitor', async () => {
    await using container = await testContainer()
    const restarting = 'if [ -e /once ]; then eval "$1"; else : > /once; exec busybox reboot -f; fi'
    const argv = [
      '/bin/sh',
      '-c',
      `tell=$1; shift; ${restarting.replace('"$1"', '"$tell"')}`,
      'sh',
      tell,
      ...odd,
    ]

    const { initPid } = await start(container, { argv })
    await exitOf(initPid).catch(() => {})

    expect(await waitAfterExit(container, initPid)).toMatchObject({ outcome: 'rebooted' })
    expect(await written(container)).toBe(told)
  })
})
