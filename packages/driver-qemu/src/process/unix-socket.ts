import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
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
    const socket = connect({ path })
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(socket)
    })
  })
}
