import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** Starts a program of this directory that serves the unix socket `path` until its input ends. */
export async function childServer(file: string, path: string): Promise<AsyncDisposable> {
  const hooks = fileURLToPath(new URL('../scripts/typescript.mjs', import.meta.url))
  const program = fileURLToPath(new URL(file, import.meta.url))
  const child: ChildProcess = spawn(process.execPath, ['--import', hooks, program, path], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await once(child.stdout as NodeJS.ReadableStream, 'data')
  return {
    async [Symbol.asyncDispose]() {
      const exit = once(child, 'exit')
      child.stdin?.end()
      await exit
    },
  }
}
