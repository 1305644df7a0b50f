import type { DomainState, DriverEvent } from '@covirt/core'
import { expect } from '@jest/globals'
import { eventName } from '../event-log.js'
import type { Suite } from '../suite.js'

/** State is committed, then the event emitted, then the call resolves. */
export function events({ test }: Suite): void {
  test('a whole life is told in order', async (scene) => {
    const domain = await scene.define()
    await domain.start()
    await domain.suspend()
    await domain.resume()
    await domain.destroy()
    await domain.undefine()
    expect(scene.events.names()).toEqual([
      'defined/added',
      'started/booted',
      'suspended/paused',
      'resumed/unpaused',
      'stopped/destroyed',
      'undefined/removed',
    ])
  })

  test('an event says which domain it is about; while that is active, with its id', async (scene) => {
    const domain = await scene.define()
    await domain.start()
    const id = await domain.id()
    await domain.destroy()
    const { name, uuid } = domain
    const [defined, started, stopped] = scene.events.all.flatMap((event) =>
      event.type === 'lifecycle' ? [event] : [],
    )
    expect(defined?.domain).toEqual({ name, uuid })
    expect(started?.domain).toEqual({ name, uuid, id })
    expect(stopped?.domain).toEqual({ name, uuid, id })
  })

  test('a listener that asks at once sees the new state', async (scene) => {
    const { driver } = scene.connection
    const answers: Promise<[string, DomainState['state']]>[] = []
    driver.subscribe((event) => {
      if (event.type !== 'lifecycle') return
      const state = driver.getDomainState(event.domain)
      answers.push(state.then((found) => [event.event, found.state]))
    })
    const domain = await scene.define()
    await domain.start()
    await Promise.all(answers)
    await domain.suspend()
    await Promise.all(answers)
    await domain.resume()
    await Promise.all(answers)
    await domain.destroy()
    expect(await Promise.all(answers)).toEqual([
      ['defined', 'shutoff'],
      ['started', 'running'],
      ['suspended', 'paused'],
      ['resumed', 'running'],
      ['stopped', 'shutoff'],
    ])
  })

  test('when a transient domain stops, a listener that asks finds it gone', async (scene) => {
    const { driver } = scene.connection
    const domain = await scene.create()
    const asked = new Promise<DomainState>((resolve, reject) => {
      driver.subscribe((event) => {
        if (event.type === 'lifecycle') driver.getDomainState(event.domain).then(resolve, reject)
      })
    })
    const found = asked.catch((error) => error)
    await domain.destroy()
    expect(await found).toMatchObject({ code: 'NO_DOMAIN' })
  })

  test('a listener may call the driver, even for the same domain, and wait for it', async (scene) => {
    const { driver } = scene.connection
    const paused = new Promise<void>((resolve, reject) => {
      driver.subscribe((event) => {
        if (event.type === 'lifecycle' && event.event === 'started')
          driver.suspendDomain(event.domain).then(resolve, reject)
      })
    })
    const domain = await scene.define()
    await domain.start()
    await scene.until(paused)
    expect(await domain.state()).toEqual({ state: 'paused', reason: 'user' })
  })

  test('a listener that throws harms no other, and not the call', async (scene) => {
    const heard: string[] = []
    scene.connection.driver.subscribe(() => {
      throw new Error('listener at fault')
    })
    scene.connection.driver.subscribe((event) => heard.push(eventName(event)))
    await scene.define()
    expect(heard).toEqual(['defined/added'])
  })

  test('nothing is heard after unsubscribing, which may be done twice', async (scene) => {
    const heard: DriverEvent[] = []
    const unsubscribe = scene.connection.driver.subscribe((event) => heard.push(event))
    unsubscribe()
    unsubscribe()
    await scene.define()
    expect(heard).toEqual([])
  })

  test('one function subscribed twice is heard twice, and each subscription ends alone', async (scene) => {
    let heard = 0
    const listener = () => {
      heard++
    }
    const first = scene.connection.driver.subscribe(listener)
    scene.connection.driver.subscribe(listener)
    await scene.define()
    expect(heard).toBe(2)
    first()
    await scene.define()
    expect(heard).toBe(3)
  })

  test('a listener may unsubscribe itself and others while it is called', async (scene) => {
    const heard: string[] = []
    const { driver } = scene.connection
    const first = driver.subscribe(() => {
      heard.push('first')
      first()
    })
    driver.subscribe(() => heard.push('second'))
    await scene.define()
    await scene.define()
    expect(heard).toEqual(['first', 'second', 'second'])
  })

  test('every listener hears the same events in the same order', async (scene) => {
    const heard: string[][] = [[], []]
    for (const list of heard) {
      scene.connection.driver.subscribe((event) => {
        if (event.type === 'lifecycle') list.push(`${event.domain.name} ${eventName(event)}`)
      })
    }
    const domains = await Promise.all([scene.define(), scene.define()])
    await Promise.all(domains.map((domain) => domain.start()))
    await Promise.all(domains.map((domain) => domain.destroy()))
    expect(heard[0]).toHaveLength(6)
    expect(heard[1]).toEqual(heard[0])
  })

  test('a connection filters events by type, and a domain by itself', async (scene) => {
    const [domain, other] = [await scene.define(), await scene.define()]
    const heard: string[] = []
    scene.connection.on('lifecycle', (event) => heard.push(`lifecycle ${event.event}`))
    scene.connection.on('reboot', () => heard.push('reboot'))
    domain.subscribe((event) => heard.push(`mine ${eventName(event)}`))
    await domain.undefine()
    await other.undefine()
    expect(heard).toEqual(['lifecycle undefined', 'mine undefined/removed', 'lifecycle undefined'])
  })

  test('events are an async iterable, which holds what comes before it is read', async (scene) => {
    const stream = scene.connection.events()
    const domain = await scene.define()
    await domain.undefine()
    const read: string[] = []
    for await (const event of stream) {
      if (event.type !== 'resync') read.push(eventName(event))
      if (read.length === 2) break
    }
    expect(read).toEqual(['defined/added', 'undefined/removed'])
  })

  test('a reader that is too slow is told that it missed events', async (scene) => {
    const stream = scene.connection.events({ limit: 2 })
    for (let count = 0; count < 3; count++) await scene.define()
    expect((await stream.next()).value).toEqual({
      type: 'resync',
      reason: 'slow-reader',
      dropped: 2,
    })
    expect((await stream.next()).value).toMatchObject({ event: 'defined' })
    await stream.return()
  })

  test('a stream of events ends when its signal fires', async (scene) => {
    const controller = new AbortController()
    const stream = scene.connection.events({ signal: controller.signal })
    const next = stream.next()
    controller.abort()
    expect(await next).toEqual({ done: true, value: undefined })
  })
}
