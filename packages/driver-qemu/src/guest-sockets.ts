import { lstat, readdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { GuestPlan } from './command-line/guest-plan.js'

/**
 * Removes the sockets that a QEMU which did not end by itself leaves behind: those in the run directory, and those
 * that its plan has elsewhere.
 */
export async function removeSockets(runDirectory: string, plan: GuestPlan | undefined): Promise<void> {
  const lines = plan ? [...plan.consoles, ...(plan.agent ? [plan.agent] : [])] : []
  const own = await readdir(runDirectory).catch(() => [])
  const paths = new Set([
    ...own.filter((name) => name.endsWith('.sock')).map((name) => join(runDirectory, name)),
    ...lines.map(({ socket }) => resolve(runDirectory, socket)),
  ])
  for (const path of paths) {
    const found = await lstat(path).catch(() => undefined)
    if (found?.isSocket()) await rm(path, { force: true })
  }
}
