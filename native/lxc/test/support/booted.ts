import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { TestContainer } from './test-container.js'

/** Resolves when the container's `ctinit` is ready to obey: a signal that comes earlier is lost. */
export async function booted(container: TestContainer): Promise<void> {
  const log = `${container.rootfs}/var/log/ctinit`
  while (!(await readFile(log, 'utf8').catch(() => '')).includes('FX-READY')) await delay(2)
}
