import { setTimeout as delay } from 'node:timers/promises'
import { type Container, initPid, state, watchPidfd } from '../native.js'
import { findProcesses, processIdentity } from './processes.js'

/** The program of the native package that starts containers. */
const starter = 'covirt-lxc'
const runningStates: ReadonlySet<string> = new Set(['RUNNING', 'FROZEN', 'FREEZING', 'THAWED'])
const sigkill = 9
const settleMs = 10_000
const settleStepMs = 5

/** Whether a container runs, once whatever start or stop is under way has ended, even by a process that we have outlived. */
export async function isRunning(container: Container): Promise<boolean> {
  const deadline = Date.now() + settleMs
  for (;;) {
    const now = await state(container)
    if (runningStates.has(now) && (await hasLivingInit(container))) return true
    const starters = await startersOf(container)
    if (now === 'STOPPED' && starters.length === 0) return false
    if (Date.now() > deadline) {
      await Promise.all(starters.map(killProcess))
      return false
    }
    await delay(settleStepMs)
  }
}

/** Ends what is starting a container, and resolves once that is gone. */
export async function killStarters(container: Container): Promise<void> {
  await Promise.all((await startersOf(container)).map(killProcess))
}

function startersOf({ path, name }: Container): Promise<number[]> {
  return findProcesses(starter, ['start', path, name])
}

/** A monitor says for a moment more that an init runs which has ended. */
async function hasLivingInit(container: Container): Promise<boolean> {
  const pid = await initPid(container)
  return pid !== undefined && (processIdentity(pid)?.alive ?? false)
}

function killProcess(pid: number): Promise<void> {
  return new Promise((resolve) => {
    try {
      watchPidfd(pid, resolve).kill(sigkill)
    } catch {
      resolve()
    }
  })
}
