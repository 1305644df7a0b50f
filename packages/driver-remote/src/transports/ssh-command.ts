import type { RemoteTarget, SshRoute } from '../remote-target.js'
import { socketCandidates } from '../socket-paths.js'

/** What `ssh` is called with, without its own name: `ssh(1)`. */
export function sshArguments(target: RemoteTarget, route: SshRoute): readonly string[] {
  return [
    ...['-T', '-e', 'none'],
    ...(route.port === undefined ? [] : ['-p', String(route.port)]),
    ...(route.user === undefined ? [] : ['-l', route.user]),
    ...(route.keyFile === undefined ? [] : ['-i', route.keyFile]),
    ...(route.noTty ? ['-o', 'BatchMode=yes'] : []),
    ...(route.knownHosts === undefined ? [] : ['-o', `UserKnownHostsFile=${quotedForSsh(route.knownHosts)}`]),
    ...hostKeyOptions(route),
    ...methodOptions(route),
    ...['--', route.host, `sh -c ${quoted(remoteScript(target, route))}`],
  ]
}

function hostKeyOptions({ verify, hostKeys }: SshRoute): readonly string[] {
  if (!verify || hostKeys === 'ignore') return ['-o', 'StrictHostKeyChecking=no']
  return hostKeys === 'auto' ? ['-o', 'StrictHostKeyChecking=accept-new'] : []
}

/** libvirt's names in the words of ssh_config(5): keys are `publickey`, whoever keeps them. */
function methodOptions({ methods }: SshRoute): readonly string[] {
  if (methods.length === 0) return []
  const names = methods.map((method) => (method === 'agent' || method === 'privkey' ? 'publickey' : method))
  const isWithoutAgent = methods.includes('privkey') && !methods.includes('agent')
  return [
    ...['-o', `PreferredAuthentications=${[...new Set(names)].join(',')}`],
    ...(isWithoutAgent ? ['-o', 'IdentityAgent=none'] : []),
  ]
}

/** A path as one word of ssh_config(5), without its `%` and `~` being anything else. */
function quotedForSsh(path: string): string {
  return `"${path.replace(/[\\"]/g, '\\$&').replaceAll('%', '%%')}"`
}

/**
 * What runs on the other host: libvirt's `virt-ssh-helper` where it is there and no socket is named, else netcat on
 * the first of the daemon's sockets. The user's shell there sees one quoted word.
 */
function remoteScript(target: RemoteTarget, route: SshRoute): string {
  const netcat = netcatScript(target, route)
  const helper = `virt-ssh-helper ${target.readOnly ? '-r ' : ''}${quoted(target.name)}`
  if (route.proxy === 'native') return `exec ${helper}`
  // libvirt's helper knows libvirt's daemons alone.
  const helperFits = route.socket === undefined && target.scheme !== 'covirt' && route.proxy === 'auto'
  if (!helperFits) return netcat
  return `if command -v virt-ssh-helper >/dev/null 2>&1; then exec ${helper}; fi; ${netcat}`
}

function netcatScript(target: RemoteTarget, route: SshRoute): string {
  const nc = quoted(route.netcat)
  // Only some netcats end by themselves when their input does; the others have an option for that.
  const option = `if ${nc} -q 2>&1 | grep -q 'requires an argument'; then q=-q0; else q=; fi`
  if (route.socket !== undefined) return `${option}; exec ${nc} $q -U ${quoted(route.socket)}`
  const sockets = remoteSockets(target, route).join(' ')
  const connect = `if test -S "$s"; then exec ${nc} $q -U "$s"; fi`
  return `${option}; for s in ${sockets}; do ${connect}; done; echo "no daemon has its socket at any of:" ${sockets} >&2; exit 1`
}

/** Words of the remote shell: a user's own runtime directory is known over there alone. */
function remoteSockets(target: RemoteTarget, route: SshRoute): readonly string[] {
  if (target.path !== '/session') return socketCandidates(target, route.mode, '/run').map(quoted)
  const relative = socketCandidates(target, route.mode, '/')
  return relative.map((path) => `"\${XDG_RUNTIME_DIR:-$HOME/.cache}"${quoted(path)}`)
}

/** `text` as one word of a POSIX shell, whatever it holds. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
