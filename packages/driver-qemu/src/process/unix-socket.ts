import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { Socket } from 'node:net'
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
