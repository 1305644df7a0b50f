import { afterAll, expect, test } from '@jest/globals'
import { canRunLxc, describeWhen } from '../../../test/fixtures/index.js'
import { eventually, LxcWorld, removeRootfs } from './lxc-fixture.js'

describeWhen(canRunLxc(), 'the processes of a container', () => {
  test('are told apart from those of the host, with their numbers on both sides', async () => {
    await using world = await LxcWorld.make()
    await using connection = await world.open()
    const domain = await connection.domains.create(world.domainXml({ name: world.uniqueName('ps') }))
    await world.ready(domain)
    const [init] = await domain.listProcesses()
    expect(init).toMatchObject({ innerPid: 1, pid: await world.initPid(domain) })
    await domain.destroy()
  })

  test('have any names, and words without end, that they give themselves', async () => {
    await using world = await LxcWorld.make()
    await using connection = await world.open()
    const domain = await connection.domains.create(world.domainXml({ name: world.uniqueName('ps') }))
    await world.ready(domain)
    const long = 'x'.repeat(100_000)
    const script = 'printf ") R 1 (" > /proc/self/comm; while read line; do :; done'
    const program = await domain.exec(['/bin/sh', '-c', script, 'hostile', long])
    const found = await eventually(async () =>
      (await domain.listProcesses()).find(({ name }) => name === ') R 1 ('),
    )
    expect(found.argv.join('').length).toBeLessThanOrEqual(65_536)
    expect(found.cpuTimeNs).toBeLessThan(10_000_000_000n)
    program.kill('SIGKILL')
    await program.exit
    await domain.destroy()
  })
})

afterAll(removeRootfs)
