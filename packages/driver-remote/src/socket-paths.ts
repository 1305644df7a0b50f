import { join } from 'node:path'
import type { RemoteTarget, SocketMode } from './remote-target.js'

/** Where a daemon's sockets may be, best first; one of them that is there is the one. */
export function socketCandidates(
  target: Pick<RemoteTarget, 'scheme' | 'path' | 'readOnly'>,
  mode: SocketMode,
  runtimeDirectory: string,
): readonly string[] {
  const session = target.path === '/session'
  // A user's own daemon has no socket for readers: it asks nobody else.
  const suffix = target.readOnly && !session ? '-ro' : ''
  if (target.scheme === 'covirt') return [join(runtimeDirectory, 'covirt', `covirt-sock${suffix}`)]
  const socket = (daemon: string) => join(runtimeDirectory, 'libvirt', `${daemon}-sock${suffix}`)
  const direct = socket(`virt${target.scheme}d`)
  const legacy = socket('libvirt')
  if (mode === 'legacy' || target.scheme === 'remote') return [legacy]
  return mode === 'direct' ? [direct] : [direct, legacy]
}

/** Where the runtime directory of the daemons is on this host: the system's, or the calling user's. */
export function runtimeDirectory(
  path: string,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  if (path !== '/session') return '/run'
  return environment.XDG_RUNTIME_DIR ?? join(environment.HOME ?? '/', '.cache')
}
