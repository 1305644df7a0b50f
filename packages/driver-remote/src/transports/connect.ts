import type { Duplex } from 'node:stream'
import { throwIfAborted } from '@covirt/core'
import type { RemoteTarget } from '../remote-target.js'
import { throughProgram } from './program.js'
import { connectTcp, connectUnix, connectWithTls } from './sockets.js'
import { sshArguments } from './ssh-command.js'

/** Opens a way to the peer: bytes in both directions. `NO_CONNECT`, with the reason, where there is none. */
export async function connectTo(target: RemoteTarget, signal: AbortSignal): Promise<Duplex> {
  throwIfAborted(signal)
  const { route } = target
  switch (route.by) {
    case 'unix':
      return connectUnix(target, route, signal)
    case 'tcp':
      return connectTcp(route, signal)
    case 'tls':
      return connectWithTls(route, signal)
    case 'ssh':
      return throughProgram(route.command, sshArguments(target, route))
    case 'ext':
      return throughProgram(route.command, [])
  }
}
