import { type FileHandle, mkdir, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, VirError } from '@covirt/core'
import { tryLockFile } from './file-lock.js'
import type { Root } from './root.js'

/** As much as is shown of a command line. */
const maxCommandLength = 200

/** Who owns a root, as its lock file says it. */
export interface RootOwner {
  readonly pid: number
  readonly command: string
  /** The absolute path of the unix socket on which it serves the root to others. */
  readonly socket?: string | undefined
}

/** How a root is owned. */
export interface OwnRootOptions {
  /** See {@link RootOwner.socket}. Default: it serves nobody. */
  readonly socket?: string | undefined
}

/**
 * Who owned `root` last: still does where its `socket` answers. `undefined` where nobody has, or the file that says
 * it cannot be read.
 */
export async function rootOwner(root: Root): Promise<RootOwner | undefined> {
  return readOwner(lockPath(root))
}

/**
 * Ownership of a root: one process at a time. It is a lock on an open file (flock(2)), so it ends with the
 * process, however that ends.
 */
export class RootLock {
  readonly #file: FileHandle

  private constructor(file: FileHandle) {
    this.#file = file
  }

  /** `RESOURCE_BUSY`, naming the owner, where another process owns the root. */
  static async acquire(root: Root, { socket }: OwnRootOptions = {}): Promise<RootLock> {
    const path = lockPath(root)
    let file: FileHandle
    try {
      await mkdir(root.runDirectory, { recursive: true, mode: 0o711 })
      file = await open(path, 'a+', 0o644)
    } catch (cause) {
      throw new VirError('NO_CONNECT', `Cannot use ${root.runDirectory}: ${messageOf(cause)}`, {
        cause,
        hint: "Run as root, or use '/session' or '?root=DIR' in the URI",
      })
    }
    try {
      if (!(await tryLockFile(file))) throw busy(path, await readOwner(path))
      const owner: RootOwner = {
        pid: process.pid,
        command: process.argv.join(' ').slice(0, maxCommandLength),
        ...(socket !== undefined && { socket }),
      }
      await file.truncate(0)
      await file.writeFile(JSON.stringify(owner))
      return new RootLock(file)
    } catch (error) {
      await file.close()
      throw error
    }
  }

  async release(): Promise<void> {
    await this.#file.close()
  }
}

function busy(path: string, owner: RootOwner | undefined): VirError {
  const holder = owner ? `process ${owner.pid} (${owner.command})` : 'another process'
  if (owner?.socket === undefined) {
    return new VirError('RESOURCE_BUSY', `${path} is held by ${holder}`, {
      hint: "Wait until it ends, or use a root of your own with '?root=DIR'",
    })
  }
  return new VirError('RESOURCE_BUSY', `${path} is held by ${holder}, which serves it on ${owner.socket}`, {
    hint: `Connect to it with 'covirt+unix:///system?socket=${owner.socket}'`,
  })
}

function lockPath(root: Root): string {
  return join(root.runDirectory, 'owner.lock')
}

async function readOwner(path: string): Promise<RootOwner | undefined> {
  try {
    return toOwner(JSON.parse(await readFile(path, 'utf8')))
  } catch {
    return undefined
  }
}

function toOwner(value: unknown): RootOwner | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { pid, command, socket } = value as Readonly<Record<string, unknown>>
  if (typeof pid !== 'number' || typeof command !== 'string') return undefined
  return { pid, command, ...(typeof socket === 'string' && { socket }) }
}
