import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { Connection, type ConsoleStream, parseConnectUri } from '@covirt/core'
import { testProvider } from '@covirt/driver-test'
import { expect, test } from '@jest/globals'
import { remoteProvider } from '../src/index.js'
import { serve } from './wire-world.js'

test('a console is closed once it is free again at the other end', async () => {
  let free = () => {}
  const source = new PassThrough({
    destroy: (_, done) => {
      free = () => done(null)
    },
  })
  await using scene = await consoleOf(source)
  const { console } = scene

  const closed = once(console, 'close')
  console.destroy()
  await Promise.all([scene.connection.driver.getHostname(), scene.connection.driver.getHostname()])
  expect(console.closed).toBe(false)
  free()
  await closed

  expect(source.closed).toBe(true)
})

/** The open console of a domain, seen through a server whose driver gives out `console`. */
async function consoleOf(source: ConsoleStream) {
  const driver = await testProvider.open(parseConnectUri('test:///default?root=console'))
  const role = { openConsole: async () => source }
  const withConsole = new Proxy(driver, {
    get: (target, key) => {
      const value: unknown = key === 'console' ? role : Reflect.get(target, key)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  const served = await serve({ open: async () => withConsole })
  const connection = new Connection(await remoteProvider.open(parseConnectUri(served.uri)))
  const [domain] = await connection.domains.list()
  const console = await connection.driver.console?.openConsole(domain?.ref ?? { uuid: '', name: '' })
  if (!console) throw new Error('The server has told of no console')
  return {
    connection,
    console,
    async [Symbol.asyncDispose]() {
      console.destroy()
      await connection.close()
      await served[Symbol.asyncDispose]()
    },
  }
}
