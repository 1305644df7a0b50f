import { abortError, type ExecRole } from '@covirt/core'
import { procedures } from '@covirt/protocol'
import type { PeerCalls } from '../peer-calls.js'
import { RemoteProcess } from '../remote-process.js'

/** Programs in guests of a covirt server. */
export function execRole(calls: PeerCalls): ExecRole {
  return {
    exec: async (domain, argv, { env = {}, tty, stdin, signal, ...where } = {}) => {
      const variables = Object.entries(env).map(([name, value]) => ({ name, value }))
      const args = { domain, argv, env: variables, terminal: tty, ...where }
      const { stream, result } = await calls.openPackets(procedures.covirtExec, args, { signal })
      const process = new RemoteProcess(stream, result.pid)
      const onAbort = () => process.cancel(abortError(signal as AbortSignal))
      signal?.addEventListener('abort', onAbort, { once: true })
      const over = () => signal?.removeEventListener('abort', onAbort)
      process.exit.then(over, over)
      if (signal?.aborted) onAbort()
      if (stdin !== undefined) process.stdin.end(stdin)
      return process
    },
  }
}
