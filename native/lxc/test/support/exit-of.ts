import { watchPidfd } from '../../ts/index.js'

/** Resolves when the process `pid` ends. */
export function exitOf(pid: number): Promise<void> {
  return new Promise((resolve) => {
    watchPidfd(pid, resolve)
  })
}
