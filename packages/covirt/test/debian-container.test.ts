import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { beforeAll, expect, test } from '@jest/globals'
import { canBootstrapDebian, debianRootfs } from '../../../test/fixtures/debian-rootfs.js'
import { describeWhen, patience, tempRoot, uniqueName } from '../../../test/fixtures/index.js'
import { type Domain, type LxcDriver, open } from '../src/index.js'

/** How long the archive and a busy machine may take. */
const bootstrapMs = patience(180_000)

/** A container of Debian whose changes go with it. */
async function place() {
  const root = await tempRoot()
  const connection = await open(`lxc:///system?root=${root.path}`)
  const domain = await connection.domains.define(`<domain type='lxc'><name>${uniqueName('deb')}</name>
    <memory unit='MiB'>512</memory><os><type>exe</type><init>/sbin/init</init></os>
    <devices><filesystem type='template'><source name='${await debianRootfs()}'/><target dir='/'/></filesystem>
    <console type='pty'/></devices></domain>`)
  return {
    connection,
    domain,
    async [Symbol.asyncDispose]() {
      for (const each of await connection.domains.list({ active: true })) await each.destroy()
      await connection.close()
      await root[Symbol.asyncDispose]()
    },
  }
}

/** What a program in the container prints. */
async function output(domain: Domain<LxcDriver>, ...argv: readonly string[]): Promise<string> {
  const { stdout, exit } = await domain.exec(argv)
  const [printed] = await Promise.all([text(stdout), exit])
  return printed.trim()
}

/** Resolves to what systemd says once it has come up. It takes a moment until it can be asked. */
async function systemState(domain: Domain<LxcDriver>): Promise<string> {
  for (;;) {
    const state = await output(domain, 'systemctl', 'is-system-running', '--wait')
    if (state === 'running' || state === 'degraded') return state
    await delay(10)
  }
}

describeWhen(canBootstrapDebian(), 'a container of Debian with systemd', () => {
  beforeAll(debianRootfs, bootstrapMs)

  test('comes up, and goes down cleanly', async () => {
    await using here = await place()
    await here.domain.start()
    expect(await systemState(here.domain)).toBe('running')
    await here.domain.shutdown()
    expect(await here.domain.waitFor('shutoff')).toEqual({ state: 'shutoff', reason: 'shutdown' })
  })

  test.each([0, 20, 50])('that is asked %d ms after its start goes down cleanly', async (afterMs) => {
    await using here = await place()
    await here.domain.start()
    await delay(afterMs)
    await here.domain.shutdown()
    expect(await here.domain.waitFor('shutoff')).toEqual({ state: 'shutoff', reason: 'shutdown' })
  })

  test('restarts and powers off by itself, each as what it is', async () => {
    await using here = await place()
    const { domain, connection } = here
    await domain.start()
    await systemState(domain)
    const rebooted = new Promise<void>((resolve) => {
      connection.driver.subscribe(({ type }) => type === 'reboot' && resolve())
    })
    await output(domain, 'systemctl', 'reboot', '--no-block')
    await rebooted
    expect(await domain.state()).toMatchObject({ state: 'running' })
    await systemState(domain)
    await output(domain, 'systemctl', 'poweroff', '--no-block')
    expect(await domain.waitFor('shutoff')).toEqual({ state: 'shutoff', reason: 'shutdown' })
  })

  test('that is paused is resumed to go down', async () => {
    await using here = await place()
    await here.domain.start()
    await systemState(here.domain)
    await here.domain.suspend()
    await here.domain.shutdown()
    expect(await here.domain.waitFor('shutoff')).toEqual({ state: 'shutoff', reason: 'shutdown' })
  })
})
