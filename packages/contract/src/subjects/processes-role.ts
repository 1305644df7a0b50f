import { expect } from '@jest/globals'
import type { Suite } from '../suite.js'

/** The role `processes`. */
export function processesRole({ fixture, test, onOneGuest }: Suite): void {
  onOneGuest('plain', 'the processes of a guest begin with its first one', async (domain) => {
    const [first] = await domain.listProcesses()
    expect(first).toMatchObject({ innerPid: 1, name: expect.stringMatching(/\S/) })
    expect(first?.memoryKib).toBeGreaterThan(0)
    expect(typeof first?.cpuTimeNs).toBe('bigint')
  })

  onOneGuest('plain', 'each inner number is there once, in order', async (domain) => {
    const numbers = (await domain.listProcesses()).map(({ innerPid }) => innerPid)
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b))
  })

  test('the processes of a paused guest are listed, too', async (scene) => {
    const domain = await scene.paused()
    expect((await domain.listProcesses()).length).toBeGreaterThan(0)
  })

  if (!fixture.roles.includes('exec')) return

  test('a program that is run in the guest is among its processes while it runs', async (scene) => {
    const domain = await scene.running()
    const program = await domain.exec(['sleep', '1000'])
    const running = async () => (await domain.listProcesses()).find(({ argv }) => argv[0] === 'sleep')
    let found = await running()
    // Until the program is executed its process is another.
    for (let tries = 0; !found && tries < 1000; tries++) found = await running()
    expect(found).toMatchObject({ name: 'sleep', argv: ['sleep', '1000'] })
    expect(found?.pid).toBe(program.pid)
    program.kill('SIGKILL')
    await scene.until(program.exit)
    expect(await running()).toBeUndefined()
  })
}
