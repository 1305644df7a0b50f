import { constants } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { createServer, Socket } from 'node:net'
import { join } from 'node:path'

/** The longest path of a unix socket that the kernel takes (unix(7): sun_path, with its final NUL). */
export const maxSocketPath = 107

/**
 * Connects to the unix socket `name` in `directory`, which may lie deeper than a socket address can tell:
 * it is reached through a descriptor of the directory. The error is Node's own (`ENOENT`, `ECONNREFUSED`).
 */
export async function connectUnix(directory: string, name: string): Promise<Socket> {
  const path = join(directory, name)
  if (Buffer.byteLength(path) <= maxSocketPath) return connectTo(path)
  const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    return await connectTo(`/proc/self/fd/${handle.fd}/${name}`)
  } finally {
    await handle.close()
  }
}

/** A unix socket that somebody may connect to, once. */
export interface UnixListener extends AsyncDisposable {
  readonly connection: Promise<Socket>
}

/** Listens on the unix socket `name` in `directory`, in place of one that has been left there, until disposed of. */
export async function listenUnix(directory: string, name: string): Promise<UnixListener> {
  await rm(join(directory, name), { force: true })
  const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY)
  const server = createServer()
  const sockets: Socket[] = []
  const connection = new Promise<Socket>((resolve) => {
    server.once('connection', (socket) => {
      sockets.push(socket)
      // Whoever reads from it is told.
      socket.on('error', () => {})
      resolve(socket)
    })
  })
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ path: `/proc/self/fd/${handle.fd}/${name}` }, resolve)
    })
  } finally {
    await handle.close()
  }
  return {
    connection,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
      await rm(join(directory, name), { force: true })
    },
  }
}

function connectTo(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = new ReadingSocket().connect({ path })
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(socket)
    })
  })
}

/**
 * A socket that a failed write does not end: Node would throw away what has come already, which may be the last
 * words of a QEMU that has gone meanwhile. The reading side tells the end, and in its turn.
 */
class ReadingSocket extends Socket {
  override _write(chunk: unknown, encoding: BufferEncoding, done: () => void): void {
    super._write(chunk, encoding, () => done())
  }

  override _writev(chunks: { chunk: unknown; encoding: BufferEncoding }[], done: () => void): void {
    super._writev?.(chunks, () => done())
  }
}
