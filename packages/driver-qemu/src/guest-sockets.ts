import { lstat, readdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { GuestPlan } from './command-line/guest-plan.js'

/** Removes the sockets that a QEMU which did not end by itself leaves behind. */
export async function removeSockets(runDirectory: string, { consoles, agent }: GuestPlan): Promise<void> {
  const own = await readdir(runDirectory).catch(() => [])
  const paths = new Set([
    ...own.filter((name) => name.endsWith('.sock')).map((name) => join(runDirectory, name)),
    ...[...consoles, ...(agent ? [agent] : [])].map(({ socket }) => resolve(runDirectory, socket)),
  ])
  for (const path of paths) {
    const found = await lstat(path).catch(() => undefined)
    if (found?.isSocket()) await rm(path, { force: true })
  }
}
