import { execFile } from 'node:child_process'

const timeoutMs = 3000

/**
 * Whether the host, and not only this program, is going down, as systemd knows it (systemctl(1), is-system-running).
 * Where there is no systemd it is never known: `covirt down --host` does then what is to be done.
 */
export function isHostGoingDown(): Promise<boolean> {
  return new Promise((resolve) => {
    execFile('systemctl', ['is-system-running'], { timeout: timeoutMs }, (_error, stdout) => {
      // Its exit code is not 0 for any state but `running`.
      resolve(String(stdout).trim() === 'stopping')
    })
  })
}
