import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { busyboxRootfs, canRunLxc, describeWhen, tempRoot } from '../../../test/fixtures/index.js'
import { LxcWorld, removeRootfs } from './lxc-fixture.js'

/**
 * What is told from ctinit only by its name, as of an init that has a program of its own to be told by; ctinit itself
 * restarts at SIGTERM, as which openrc-init would go down.
 */
async function place(program: string, script: string) {
  const directory = await tempRoot()
  const rootfs = await busyboxRootfs(directory.join('rootfs'))
  await copyFile(join(rootfs, 'sbin/ctinit'), join(rootfs, 'sbin/openrc-init'))
  if (program !== '')
    await writeFile(join(rootfs, 'sbin', program), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  const world = await LxcWorld.make()
  const connection = await world.open()
  const domain = await connection.domains.create(
    world
      .domainXml({ name: world.uniqueName('told') })
      .replace('/sbin/ctinit', '/sbin/openrc-init')
      .replace(/source dir='[^']*'/, `source dir='${rootfs}'`),
  )
  await world.ready(domain)
  return {
    domain,
    told: () => readFile(join(rootfs, 'told'), 'utf8'),
    async [Symbol.asyncDispose]() {
      for (const left of await connection.domains.list({ active: true })) await left.destroy()
      await connection.close()
      for (const each of [world, directory]) await each[Symbol.asyncDispose]()
      await removeRootfs()
    },
  }
}

describeWhen(canRunLxc(), 'an init that has a program to be told by', () => {
  test('is told by it to go down, again until it listens', async () => {
    const script = 'echo "$@" >> /told\n[ -e /tmp/asked ] || { : > /tmp/asked; exit 1; }\nkill -USR2 1'
    await using init = await place('openrc-shutdown', script)
    await init.domain.shutdown()
    expect((await init.domain.waitFor('shutoff')).reason).toBe('shutdown')
    expect(await init.told()).toBe('--poweroff now\n--poweroff now\n')
  })

  test('is told by it to restart', async () => {
    await using init = await place('openrc-shutdown', 'echo "$@" >> /told\nkill -TERM 1')
    const restarted = new Promise<void>((resolve) => {
      init.domain.subscribe(({ type }) => type === 'reboot' && resolve())
    })
    await init.domain.reboot()
    await restarted
    expect(await init.told()).toBe('--reboot now\n')
  })

  test('is asked by its signal where that is wanted, or the program is missing', async () => {
    await using deaf = await place('openrc-shutdown', 'echo "$@" >> /told')
    await using bare = await place('', '')
    const restarts = [deaf, bare].map(
      ({ domain }) =>
        new Promise<void>((resolve) => {
          domain.subscribe(({ type }) => type === 'reboot' && resolve())
        }),
    )
    // The signal at which openrc-init goes down has ctinit restart.
    await deaf.domain.shutdown({ mode: 'signal' })
    await bare.domain.shutdown()
    await Promise.all(restarts)
    await expect(deaf.told()).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
