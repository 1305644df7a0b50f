import { IdAllocator } from './id-allocator.js'
import type { Root } from './root.js'
import { type OwnRootOptions, RootLock } from './root-lock.js'
import { SharedResources } from './shared-resources.js'

/** A root that this process owns, on behalf of one of its users. */
export interface OwnedRoot {
  /** Ids are unique in a root, whichever driver gives them. */
  readonly ids: IdAllocator
  /** Once for each {@link ownRoot}: with the last one the root is free for other processes. */
  release(): Promise<void>
}

const roots = new SharedResources<{ readonly lock: RootLock; readonly ids: IdAllocator }>()

/**
 * Owns `root` for this process until released; drivers that are opened on it meanwhile share it. The first owner
 * says how. `RESOURCE_BUSY`, naming the holder and its socket, where another process owns it; `NO_CONNECT` where
 * its directories cannot be used.
 */
export async function ownRoot(root: Root, options: OwnRootOptions = {}): Promise<OwnedRoot> {
  const { ids } = await roots.acquire(root.runDirectory, async () => ({
    lock: await RootLock.acquire(root, options),
    ids: new IdAllocator(),
  }))
  return { ids, release: () => roots.release(root.runDirectory, ({ lock }) => lock.release()) }
}
