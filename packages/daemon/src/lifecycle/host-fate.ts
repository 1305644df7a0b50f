import { execFile } from 'node:child_process'
import type { Clock } from '@covirt/core'

/** Whether the host goes down; `unknown` where systemd, which is there, does not say. */
export type HostFate = 'going-down' | 'staying' | 'unknown'

/** How one source is asked: its answer, or `undefined` where it gives none. */
export type AskProgram = (program: string, args: readonly string[]) => Promise<string | undefined>

/** As systemd takes a whole host down it can be busy for a while: half a minute, where each attempt takes its whole time. */
const attempts = 10
const pauseMs = 250

/**
 * Whether the host, and not only this program, is going down, as systemd knows it (systemctl(1), is-system-running), or
 * logind, who knows it before (org.freedesktop.login1(5), PreparingForShutdown). What answers first counts; no answer is
 * none: both are asked again. Where there is no systemd it is never known: `covirt down --host` does then what is to be
 * done.
 */
export async function hostFate(clock: Clock, ask: AskProgram = run): Promise<HostFate> {
  for (let attempt = 1; ; attempt++) {
    const fate = await firstKnown([askSystemd(ask), askLogind(ask)])
    if (fate !== 'unknown' || attempt >= attempts) return fate
    await clock.sleep(pauseMs)
  }
}

async function askSystemd(ask: AskProgram): Promise<HostFate> {
  const answer = await ask('systemctl', ['is-system-running'])
  if (answer === 'stopping') return 'going-down'
  return answer === undefined || answer === '' || answer === 'unknown' ? 'unknown' : 'staying'
}

/** Its `false` says nothing: not everything that brings a host down asks logind. */
async function askLogind(ask: AskProgram): Promise<HostFate> {
  const where = ['org.freedesktop.login1', '/org/freedesktop/login1', 'org.freedesktop.login1.Manager']
  const answer = await ask('busctl', ['--system', 'get-property', ...where, 'PreparingForShutdown'])
  return answer === 'b true' ? 'going-down' : 'unknown'
}

/** The first that is known of several that are being found out. */
function firstKnown(asked: readonly Promise<HostFate>[]): Promise<HostFate> {
  return new Promise((resolve) => {
    let left = asked.length
    for (const each of asked) {
      void each.then((fate) => {
        left -= 1
        if (fate !== 'unknown' || left === 0) resolve(fate)
      })
    }
  })
}

const timeoutMs = 3000

function run(program: string, args: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(program, [...args], { timeout: timeoutMs }, (error, stdout) => {
      if (error?.code === 'ENOENT') return resolve('not installed')
      // Its exit code is not 0 for any state but `running`.
      resolve(error?.killed ? undefined : String(stdout).trim())
    })
  })
}
