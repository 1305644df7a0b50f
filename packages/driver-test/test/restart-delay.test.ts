import { Connection, FakeClock, parseConnectUri } from '@covirt/core'
import { expect, test } from '@jest/globals'
import { testProvider } from '../src/index.js'

const xml = `<domain type='test'><name>loop</name><on_crash>restart</on_crash></domain>`

async function crashed() {
  const clock = new FakeClock()
  const uri = parseConnectUri(`test:///empty?root=restart-${Math.random()}`)
  const connection = new Connection(await testProvider.open(uri, { clock }))
  const domain = await connection.domains.create(xml)
  const stopped = new Promise<void>((resolve) => {
    connection.on('lifecycle', ({ event }) => event === 'stopped' && resolve())
  })
  connection.driver.controls.crash('loop')
  await stopped
  return { clock, connection, domain }
}

test('a guest that crashes right after its start is given a second before it is started again', async () => {
  const { clock, domain } = await crashed()
  await clock.advance(900)
  expect(await domain.state()).toEqual({ state: 'shutoff', reason: 'crashed' })
  await clock.advance(200)
  expect(await domain.state()).toEqual({ state: 'running', reason: 'booted' })
})

test('destroying a domain that is to be started again in a moment ends that', async () => {
  const { clock, connection, domain } = await crashed()
  await domain.destroy()
  await clock.advance(5000)
  expect(await connection.domains.list()).toEqual([])
})
