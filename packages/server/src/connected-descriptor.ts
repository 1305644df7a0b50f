import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Duplex, pipeline } from 'node:stream'
import { VirError } from '@covirt/core'

/** A file descriptor to give away. */
export interface OwnedDescriptor {
  readonly descriptor: number
  /** Closes it here; who it was given to keeps it open. */
  release(): void
}

/**
 * A descriptor at whose other end `stream` is: one end of a pair of unix sockets, the other of which is joined to
 * `stream` until either ends. Where `stream` is a socket itself it will not do: Node may have read from it already.
 */
export async function connectedDescriptor(stream: Duplex): Promise<OwnedDescriptor> {
  // Node has no socketpair(2): a listener in a directory of our own is as good, and gone at once.
  const directory = await mkdtemp(join(tmpdir(), 'covirt-'))
  const listener = createServer({ pauseOnConnect: true })
  const given = new Socket()
  try {
    const path = join(directory, 'pair')
    listener.listen(path)
    await once(listener, 'listening')
    // Nothing of what comes for whoever gets it may be read here.
    given.pause()
    const accepted = once(listener, 'connection')
    given.connect(path)
    await once(given, 'connect')
    const [near] = (await accepted) as [Socket]
    const descriptor = descriptorOf(given)
    pipeline(stream, near, stream, () => near.destroy())
    near.resume()
    return { descriptor, release: () => given.destroy() }
  } catch (error) {
    given.destroy()
    stream.destroy()
    throw error
  } finally {
    listener.close()
    await rm(directory, { recursive: true, force: true })
  }
}

/** Node keeps it to itself. */
function descriptorOf(socket: Socket): number {
  const { _handle: handle } = socket as unknown as { readonly _handle?: { readonly fd?: number } | null }
  if (handle?.fd !== undefined && handle.fd >= 0) return handle.fd
  throw new VirError('INTERNAL_ERROR', 'A socket has no file descriptor')
}
