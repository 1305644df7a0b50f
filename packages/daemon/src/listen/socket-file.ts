import { once } from 'node:events'
import { chmod, chown, lstat, mkdir, rename, rm } from 'node:fs/promises'
import type { Server } from 'node:net'
import { dirname, join } from 'node:path'
import { messageOf, VirError } from '@covirt/core'
import { isServed } from '@covirt/local'

/** sockaddr_un(7) has room for 108 bytes, the last of which is zero. */
const maxPathBytes = 107

/** Who may connect to a socket. */
export interface SocketAccess {
  readonly mode: number
  /** The id of the group that it belongs to. Default: the daemon's. */
  readonly gid?: number | undefined
}

/** A unix socket in the file system, bound by us. */
export interface SocketFile {
  readonly path: string
  /** Removes it, unless it has become another's meanwhile. */
  remove(): Promise<void>
}

/**
 * Lets `server` listen on `path`, where nobody else can connect at any moment than whom `access` allows. What is left
 * of a process that has ended is replaced; `RESOURCE_BUSY` where a living process listens there, and
 * `OPERATION_FAILED` where something else is in the way.
 */
export async function listenOnFile(server: Server, path: string, access: SocketAccess): Promise<SocketFile> {
  const directory = dirname(path)
  // bound under another name, and moved to its own once its mode is right
  const temporary = join(directory, `.${process.pid}`)
  for (const each of [path, temporary]) checkLength(each)
  try {
    await mkdir(directory, { recursive: true, mode: 0o755 })
    await refuseLiving(path)
    await rm(temporary, { force: true })
    listenPrivately(server, temporary)
    await once(server, 'listening')
    await chmod(temporary, access.mode)
    if (access.gid !== undefined) await chown(temporary, process.getuid?.() ?? -1, access.gid)
    const { ino } = await lstat(temporary)
    await rename(temporary, path)
    return { path, remove: () => removeOwn(path, ino) }
  } catch (cause) {
    server.close()
    await rm(temporary, { force: true })
    if (cause instanceof VirError) throw cause
    throw new VirError('OPERATION_FAILED', `Cannot listen on ${path}: ${messageOf(cause)}`, { cause })
  }
}

async function refuseLiving(path: string): Promise<void> {
  const stats = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (!stats) return
  if (!stats.isSocket()) {
    throw new VirError('OPERATION_FAILED', `Cannot listen on ${path}: there is something that is no socket`, {
      hint: 'Remove it, or choose another path',
    })
  }
  if (await isServed(path)) {
    throw new VirError('RESOURCE_BUSY', `Cannot listen on ${path}: another process does`, {
      hint: 'Stop that process, or choose another path',
    })
  }
}

async function removeOwn(path: string, ino: number): Promise<void> {
  const stats = await lstat(path).catch(() => undefined)
  if (stats?.ino === ino) await rm(path, { force: true })
}

/** Until its mode is right nobody else can connect: a socket is made with what the mask of the process leaves. */
function listenPrivately(server: Server, path: string): void {
  const mask = process.umask(0o177)
  try {
    server.listen(path)
  } finally {
    process.umask(mask)
  }
}

function checkLength(path: string): void {
  const bytes = Buffer.byteLength(path)
  if (bytes <= maxPathBytes) return
  throw new VirError(
    'INVALID_ARG',
    `${path} is too long for a unix socket: ${bytes} bytes of ${maxPathBytes}`,
    {
      hint: 'Choose a shorter directory, or another path with --socket',
    },
  )
}
