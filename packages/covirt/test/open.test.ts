import { testProvider } from '@covirt/driver-test'
import { describe, expect, test } from '@jest/globals'
import { type Connection, type Domain, type Driver, defaultUri, open, VirError } from '../src/index.js'

describe('open', () => {
  test('knows the driver of a URI that is written out', async () => {
    await using connection = await open('test:///default')
    expect(connection.driver.controls.behaviourOf('test')).toMatchObject({ startDelayMs: 0 })
  })

  test('opens any URI', async () => {
    const uri: string = 'test:///empty'
    await using connection: Connection<Driver> = await open(uri)
    await expect(connection.domains.list()).resolves.toEqual([])
  })

  test('knows at compile time which methods a domain has not', async () => {
    await using connection = await open('test:///default')
    const domain: Domain = await connection.domains.lookupByName('test')
    expect(domain.openConsole).toBeDefined()
    const onlyTypes = async () => {
      const container = await (await open('lxc:///system')).domains.lookupByName('web')
      // @ts-expect-error containers have no reset button
      await container.reset()
    }
    expect(onlyTypes).toBeDefined()
  })

  test('takes the providers of other drivers', async () => {
    const provider = { ...testProvider, schemes: ['other'], open: async () => testProvider.open(testUri) }
    const testUri = { scheme: 'test', path: '/empty', query: {} }
    await using connection = await open('other:///here', { providers: [provider] })
    expect(connection.type).toBe('TEST')
  })

  test.each([
    ['nowhere:///', 'NO_CONNECT', /covirt, lxc, qemu, test/],
    ['test:default', 'INVALID_ARG', /Examples/],
    ['qemu+unix:///system?socket=/no/such', 'NO_CONNECT', /socket/],
    ['qemu+pigeon://host/system', 'INVALID_ARG', /qemu\+ssh/],
    ['test:///nowhere', 'INVALID_ARG', /test:\/\/\/default/],
  ])('%s is %s', async (uri, code, hint) => {
    await expect(open(uri)).rejects.toMatchObject({ code, hint: expect.stringMatching(hint) })
    await expect(open(uri)).rejects.toBeInstanceOf(VirError)
  })

  test('does nothing once it is cancelled', async () => {
    await expect(open('test:///default', { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'OPERATION_ABORTED',
    })
  })

  test('of what is no string is a TypeError', async () => {
    await expect(open(7 as unknown as string)).rejects.toThrow(TypeError)
  })
})

describe('the default URI', () => {
  test.each([
    [{ COVIRT_DEFAULT_URI: 'test:///default' }, 0, 'test:///default'],
    [{}, 0, 'covirt:///system'],
    [{}, 1000, 'covirt:///session'],
    [{ COVIRT_DEFAULT_URI: '' }, 0, 'covirt:///system'],
  ])('in %j for user %i is %s', (environment, user, uri) => {
    expect(defaultUri(environment, user)).toBe(uri)
  })
})
