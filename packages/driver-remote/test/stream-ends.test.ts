import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { Connection, type Domain, type Driver, type FilesRole, parseConnectUri, VirError } from '@covirt/core'
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
  await using scene = await sceneWith('console', { openConsole: async () => source })
  const console = await scene.domain.openConsole()

  const closed = once(console, 'close')
  console.destroy()
  await Promise.all([scene.domain.state(), scene.domain.state()])
  expect(console.closed).toBe(false)
  free()
  await closed

  expect(source.closed).toBe(true)
})

test('a file that is refused after all of its content has come is refused', async () => {
  const writeFile: FilesRole['writeFile'] = async (_domain, _path, content) => {
    await text(content as PassThrough)
    throw new VirError('OPERATION_FAILED', 'There is no room')
  }
  await using scene = await sceneWith('files', { writeFile })

  const writing = scene.domain.writeFile('/etc/motd', 'all of it')

  await expect(writing).rejects.toMatchObject({ code: 'OPERATION_FAILED', message: 'There is no room' })
})

test('a program whose output has ended before it is looked at ends like others', async () => {
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() }
  for (const output of [streams.stdout, streams.stderr]) {
    output.resume().end()
    await once(output, 'end')
  }
  const program = { ...streams, pid: 1, exit: Promise.resolve({ code: 0 }), resize: () => {}, kill: () => {} }
  await using scene = await sceneWith('exec', { exec: async () => program })

  const { exit, stdout, stderr } = await scene.domain.exec(['true'])

  expect(await Promise.all([exit, text(stdout), text(stderr)])).toEqual([{ code: 0 }, '', ''])
})

/** A domain seen through a server whose driver has another `role`. */
async function sceneWith(role: 'console' | 'files' | 'exec', methods: object) {
  const driver = await testProvider.open(parseConnectUri('test:///default?root=ends'))
  const changed: Driver = new Proxy(driver, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key)
      if (key === role) return { ...(value as object), ...methods }
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  const served = await serve({ open: async () => changed })
  const connection = new Connection(await remoteProvider.open(parseConnectUri(served.uri)))
  return {
    domain: (await connection.domains.lookupByName('test')) as Domain,
    async [Symbol.asyncDispose]() {
      await connection.close()
      await served[Symbol.asyncDispose]()
    },
  }
}
