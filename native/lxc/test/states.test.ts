import { expect, test } from '@jest/globals'
import { canRunLxc, describeWhen } from '../../../test/fixtures/index.js'
import { reboot, type StateRecord, shutdown, start, stop, watchStates } from '../ts/index.js'
import { booted } from './support/booted.js'
import { testContainer } from './support/test-container.js'

describeWhen(canRunLxc(), 'watchStates', () => {
  test('tells start and stop in their order', async () => {
    await using container = await testContainer()
    using records = recorded(container.path)

    await start(container)
    await stop(container)

    await records.until((record) => record.type === 'state' && record.state === 'STOPPED')
    expect(records.seen.map((record) => (record.type === 'state' ? record.state : record.status))).toEqual([
      'STARTING',
      'RUNNING',
      9,
      'STOPPING',
      'STOPPED',
    ])
    expect(new Set(records.seen.map((record) => record.name))).toEqual(new Set([container.name]))
  })

  test.each([
    ['reboot', reboot, 1],
    ['power off', shutdown, 2],
  ])('tells that the guest asked for %s', async (_what, ask, status) => {
    await using container = await testContainer()
    await start(container)
    await booted(container)
    using records = recorded(container.path)

    await ask(container)

    const exit = await records.until((record) => record.type === 'exit')
    expect(exit).toEqual({ type: 'exit', name: container.name, status })
  })
})

/** All records of an lxcpath from now on. */
function recorded(path: string): Disposable & {
  readonly seen: readonly StateRecord[]
  until(wanted: (record: StateRecord) => boolean): Promise<StateRecord>
} {
  const seen: StateRecord[] = []
  const waiting: { wanted: (record: StateRecord) => boolean; resolve: (record: StateRecord) => void }[] = []
  const watch = watchStates(path, (record) => {
    seen.push(record)
    for (const each of waiting) if (each.wanted(record)) each.resolve(record)
  })
  return {
    seen,
    until: (wanted) => {
      const found = seen.find(wanted)
      return found ? Promise.resolve(found) : new Promise((resolve) => waiting.push({ wanted, resolve }))
    },
    [Symbol.dispose]: () => watch.close(),
  }
}
