import { Connection, parseConnectUri } from '@covirt/core'
import { type TestDriver, testProvider } from '@covirt/driver-test'
import { type AcceptOptions, type Identity, Server, type ServerOptions } from '../../src/index.js'
import { duplexPair } from './duplex-pair.js'
import { WireClient } from './wire-client.js'

export const root: Identity = { name: 'root', transport: 'unix', uid: 0 }

let worlds = 0

/** A server over a world of test domains of its own, and clients for it. */
export async function serverScene(options: Partial<ServerOptions> = {}, path = '/default') {
  const uri = `test://${path}?root=wire-${++worlds}`
  const server = new Server({
    open: (name, _identity, { signal }) => testProvider.open(parseConnectUri(name), { signal }),
    ...options,
  })
  const connection = new Connection<TestDriver>(await testProvider.open(parseConnectUri(uri)))
  const connect = (accept: AcceptOptions = {}, identity = root) => {
    const [near, far] = duplexPair()
    const served = server.accept(far, identity, accept)
    return { client: new WireClient(near), near, far, served }
  }
  return {
    uri,
    server,
    connection,
    controls: connection.driver.controls,
    connect,
    open: async (accept?: AcceptOptions, identity?: Identity) => connect(accept, identity).client.open(uri),
    [Symbol.asyncDispose]: async () => {
      await server.close()
      await connection.close()
    },
  }
}

export function domainXml(name: string, elements = ''): string {
  return `<domain type='test'><name>${name}</name><memory unit='MiB'>64</memory>${elements}</domain>`
}
