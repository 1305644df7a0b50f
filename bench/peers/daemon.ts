import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** A daemon in a mount namespace of its own. Disposing asks it to end, and waits for that. */
export interface PeerDaemon extends AsyncDisposable {
  readonly pid: number
}

/** Runs `script` with `parameters` until disposed of; resolves once something answers on `socket`. */
export async function startDaemon(
  script: string,
  {
    parameters,
    socket,
    env = {},
  }: { parameters: readonly string[]; socket: string; env?: NodeJS.ProcessEnv },
): Promise<PeerDaemon> {
  const child = spawn('unshare', ['--mount', 'sh', '-c', script, 'sh', ...parameters], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
    // An interrupt from the terminal is ours alone: what it has made is removed first.
    detached: true,
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk).slice(-2000)
  })
  while (!(existsSync(socket) && (await answers(socket)))) {
    if (hasEnded(child)) throw new Error(`it has ended: ${said.trim()}`)
    await sleep(20)
  }
  return {
    pid: child.pid ?? 0,
    async [Symbol.asyncDispose]() {
      if (hasEnded(child)) return
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path })
    const settle = (does: boolean) => {
      socket.destroy()
      resolve(does)
    }
    socket.once('connect', () => settle(true)).once('error', () => settle(false))
  })
}
