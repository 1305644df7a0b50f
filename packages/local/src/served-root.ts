import { once } from 'node:events'
import { connect } from 'node:net'
import type { Root } from './root.js'
import { rootOwner } from './root-lock.js'

/** The unix socket on which another living process serves `root`; `undefined` where none does. */
export async function servedSocket(root: Root): Promise<string | undefined> {
  const owner = await rootOwner(root)
  if (owner?.socket === undefined || owner.pid === process.pid) return undefined
  return (await isServed(owner.socket)) ? owner.socket : undefined
}

/** Whether a living process listens on the unix socket `path`. */
export async function isServed(path: string): Promise<boolean> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // anything else, as a full backlog or a mode that keeps us out, means that somebody is there
    return code !== 'ECONNREFUSED' && code !== 'ENOENT'
  } finally {
    socket.destroy()
  }
}
