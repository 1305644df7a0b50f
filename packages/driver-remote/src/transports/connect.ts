import type { Duplex } from 'node:stream'
import { throwIfAborted } from '@covirt/core'
import type { RemoteTarget } from '../remote-target.js'
import { connectTcp, connectUnix, type RouteBy } from './sockets.js'

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
      return (await import('./tls.js')).connectWithTls(route, signal)
    case 'ssh':
      return throughSsh(target, route)
    case 'ext':
      return (await import('./program.js')).throughProgram(route.command, [])
  }
}

async function throughSsh(target: RemoteTarget, route: RouteBy<'ssh'>): Promise<Duplex> {
  const { sshArguments } = await import('./ssh-command.js')
  const { throughProgram } = await import('./program.js')
  return throughProgram(route.command, sshArguments(target, route))
}
