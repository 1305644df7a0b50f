import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const program = join(dirname(fileURLToPath(import.meta.url)), '../packages/daemon/bin/covirtd.js')

/** A daemon that is measured. */
export interface Covirtd extends AsyncDisposable {
  readonly pid: number
  readonly socket: string
}

/** Starts covirtd on a root of its own; resolves once it is ready. */
export async function startCovirtd(root: string): Promise<Covirtd> {
  const args = [program, '--root', root, '--log-format', 'json', '--log-level', 'info']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const end = async () => {
    const closed = once(child, 'close')
    child.kill()
    await closed
  }
  try {
    await ready(child)
  } catch (error) {
    await end()
    throw error
  }
  return { pid: child.pid ?? 0, socket: join(root, 'run/covirt-sock'), [Symbol.asyncDispose]: end }
}

async function ready(child: ChildProcess): Promise<void> {
  for await (const line of createInterface(child.stderr as NodeJS.ReadableStream))
    if (line.includes('covirtd is ready')) return
  throw new Error('covirtd has ended before it was ready')
}
