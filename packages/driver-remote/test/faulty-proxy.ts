import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** Stands between a client and a server on unix sockets, and does what networks do. */
export interface FaultyProxy extends AsyncDisposable {
  readonly socket: string
  /** Ends all connections. */
  cut(): void
  /** Takes nothing from the server any more, so that it has to wait, until {@link heal}. */
  stall(): void
  /** Passes nothing on any more and says nothing of it, as a cable that was pulled, until {@link heal}. */
  swallow(): void
  heal(): void
}

/** Listens at `socket` and leads to `upstream`. */
export async function faultyProxy(socket: string, upstream: string): Promise<FaultyProxy> {
  const pairs = new Set<{ readonly client: Socket; readonly server: Socket }>()
  let swallowing = false
  const listener = createServer((client) => {
    const server = connect(upstream)
    const pair = { client, server }
    pairs.add(pair)
    const end = () => {
      pairs.delete(pair)
      client.destroy()
      server.destroy()
    }
    for (const each of [client, server]) each.on('error', () => {}).on('close', end)
    relay(client, server)
    relay(server, client)
  })
  const relay = (from: Socket, to: Socket) => {
    from.on('data', (chunk) => {
      if (swallowing) return
      if (!to.write(chunk)) from.pause()
    })
    to.on('drain', () => from.resume())
  }
  listener.listen(socket)
  await once(listener, 'listening')
  const cut = () => {
    for (const { client, server } of pairs) {
      client.destroy()
      server.destroy()
    }
  }
  return {
    socket,
    cut,
    stall: () => {
      for (const { server } of pairs) server.pause()
    },
    swallow: () => {
      swallowing = true
    },
    heal: () => {
      swallowing = false
      for (const { server } of pairs) server.resume()
    },
    async [Symbol.asyncDispose]() {
      cut()
      listener.close()
    },
  }
}
