import { Connection } from '@covirt/core'
import { expect } from '@jest/globals'
import type { Suite } from '../suite.js'

/** A connection ends; guests live on. */
export function closing({ test, needing }: Suite): void {
  test('calls on a closed connection are refused with INVALID_CONN', async (scene) => {
    const { connection } = scene
    const domain = await scene.define()
    await connection.close()
    const calls = [
      () => connection.domains.list(),
      () => connection.domains.define(scene.xml()),
      () => connection.capabilities(),
      () => domain.start(),
      () => domain.state(),
      () => domain.waitFor('running'),
    ]
    for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'INVALID_CONN' })
  })

  test('closing twice is closing once', async (scene) => {
    const { connection } = scene
    await Promise.all([connection.close(), connection.close()])
    await connection.close()
    expect(connection.closed).toBe(true)
  })

  test('`await using` closes', async (scene) => {
    let connection: Connection
    {
      await using opened = await scene.world.open()
      connection = opened
      expect(connection.closed).toBe(false)
    }
    expect(connection.closed).toBe(true)
    expect(connection).toBeInstanceOf(Connection)
  })

  test('streams of events end with the connection', async (scene) => {
    const stream = scene.connection.events()
    const next = stream.next()
    await scene.connection.close()
    expect(await next).toEqual({ done: true, value: undefined })
  })

  test('no event is heard after the close', async (scene) => {
    await using other = await scene.world.open()
    const domain = await scene.define()
    await scene.connection.close()
    scene.events.clear()
    await (await other.domains.lookupByUuid(domain.uuid)).undefine()
    expect(scene.events.all).toEqual([])
  })

  test('a wait for a state ends with INVALID_CONN', async (scene) => {
    const domain = await scene.define()
    const waiting = domain.waitFor('running').catch((error) => error)
    await domain.state()
    await scene.connection.close()
    expect(await waiting).toMatchObject({ code: 'INVALID_CONN' })
  })

  test('a start that is under way is aborted, and leaves no guest', async (scene) => {
    const domain = await scene.define()
    const starting = domain.start().catch((error) => error)
    await scene.reopen()
    expect(await starting).toMatchObject({ code: 'OPERATION_ABORTED' })
    expect(await (await scene.again(domain)).isActive()).toBe(false)
  })

  needing('slow', 'close does not wait for a start that takes its time', async (scene) => {
    const domain = await scene.define({ guest: 'slow' })
    const starting = domain.start().catch((error) => error)
    await domain.state()
    await scene.reopen()
    expect(await starting).toMatchObject({ code: 'OPERATION_ABORTED' })
    expect(await (await scene.again(domain)).isActive()).toBe(false)
  })

  test('two connections to one world see the same domains and events', async (scene) => {
    await using other = await scene.world.open()
    const heard: string[] = []
    other.on('lifecycle', ({ event, domain }) => heard.push(`${event} ${domain.name}`))
    const domain = await scene.define()
    await domain.start()
    const same = await other.domains.lookupByName(domain.name)
    expect(await same.state()).toEqual(await domain.state())
    expect(heard).toEqual([`defined ${domain.name}`, `started ${domain.name}`])
  })

  test('closing one of two connections leaves the other whole', async (scene) => {
    const other = await scene.world.open()
    const domain = await scene.define()
    await other.close()
    await domain.start()
    expect(await domain.isActive()).toBe(true)
    expect(scene.events.names()).toEqual(['defined/added', 'started/booted'])
  })
}
