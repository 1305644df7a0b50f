import { type ConnectUri, formatConnectUri, VirError } from '@covirt/core'

/** How to get to the peer. */
export type Route =
  | { readonly by: 'unix'; readonly socket: string | undefined; readonly mode: SocketMode }
  | { readonly by: 'tcp'; readonly host: string; readonly port: number }
  | {
      readonly by: 'tls'
      readonly host: string
      readonly port: number
      readonly pkiPath: string | undefined
      readonly verify: boolean
    }
  | SshRoute
  | { readonly by: 'ext'; readonly command: string }

/** Through the system's `ssh`. */
export interface SshRoute {
  readonly by: 'ssh'
  readonly host: string
  readonly port: number | undefined
  readonly user: string | undefined
  /** The program to run instead of `ssh`. */
  readonly command: string
  readonly keyFile: string | undefined
  /** Never ask the person at the terminal for a password or a passphrase. */
  readonly noTty: boolean
  readonly verify: boolean
  /** The file with the keys of hosts that are known. */
  readonly knownHosts: string | undefined
  /** What is done with a host that is not known: refused or asked about, taken over, or not looked at. */
  readonly hostKeys: 'normal' | 'auto' | 'ignore'
  /** How we show who we are, best first. Default: as `ssh` likes. */
  readonly methods: readonly SshMethod[]
  /** What connects to the socket over there: libvirt's helper, netcat, or whichever there is. */
  readonly proxy: 'auto' | 'netcat' | 'native'
  readonly netcat: string
  readonly socket: string | undefined
  readonly mode: SocketMode
}

/** A way of showing who we are, by libvirt's names. */
type SshMethod = (typeof sshMethods)[number]

const sshMethods = ['agent', 'privkey', 'password', 'keyboard-interactive', 'none'] as const

/** Which of libvirt's daemons is meant: the one of the driver, the one for all, or whichever is there. */
export type SocketMode = 'auto' | 'direct' | 'legacy'

/** What a URI of a remote connection says. */
export interface RemoteTarget {
  /** The URI itself, in its canonical form. */
  readonly uri: string
  readonly scheme: string
  /** Which instance: a user's own one where it is `/session`. */
  readonly path: string
  /** The name that the peer is asked to open; empty: its own default. */
  readonly name: string
  readonly readOnly: boolean
  /** How we want to be let in: `none`, `polkit`, `sasl`, `sasl.scram-sha-256`. Default: as the peer likes. */
  readonly auth: string | undefined
  /** Who we want to be, where that is not what `ssh` is told. */
  readonly user: string | undefined
  /** Where names and passwords are kept. */
  readonly authFile: string | undefined
  readonly keepaliveIntervalMs: number
  /** How many signs of life may stay unanswered. */
  readonly keepaliveCount: number
  readonly callTimeoutMs: number
  readonly route: Route
}

/** What libvirt's clients take out of the query of a URI before the peer sees the rest, and what only ours know. */
const ownParameters = [
  ...[
    'name',
    'command',
    'socket',
    'auth',
    'authfile',
    'sshauth',
    'netcat',
    'keyfile',
    'pkipath',
    'known_hosts',
  ],
  ...['known_hosts_verify', 'tls_priority', 'mode', 'proxy', 'no_sanity', 'no_verify', 'no_tty'],
  ...['readonly', 'keepalive_interval', 'keepalive_count', 'call_timeout'],
] as const

type OwnParameter = (typeof ownParameters)[number]

/** The ports that libvirt's daemons listen on. */
const ports = { tcp: 16_509, tls: 16_514 } as const

/** Reads a URI of a remote connection. `INVALID_ARG` where it makes no sense, saying what would. */
export function parseRemoteTarget(uri: ConnectUri): RemoteTarget {
  const parameters = new Parameters(uri)
  const route = routeOf(uri, parameters)
  return {
    uri: formatConnectUri(uri),
    scheme: uri.scheme,
    path: uri.path,
    name: nameOf(uri, parameters),
    readOnly: parameters.flag('readonly'),
    auth: parameters.text('auth'),
    user: route.by === 'ssh' ? undefined : uri.user,
    authFile: parameters.path('authfile'),
    keepaliveIntervalMs: parameters.seconds('keepalive_interval', 5),
    keepaliveCount: parameters.count('keepalive_count', 5),
    callTimeoutMs: parameters.seconds('call_timeout', 0),
    route,
  }
}

/** What libvirt's clients tell the peer: the URI without what led to it, or what `name=` says, as it is. */
function nameOf(uri: ConnectUri, parameters: Parameters): string {
  const name = parameters.text('name')
  if (name !== undefined) return name
  if (uri.scheme === 'remote') return ''
  const { scheme, path, query } = uri
  const known: readonly string[] = ownParameters
  const rest = Object.entries(query).filter(([key]) => !known.includes(key))
  return formatConnectUri({ scheme, path, query: Object.fromEntries(rest) })
}

function routeOf(uri: ConnectUri, parameters: Parameters): Route {
  const transport = uri.transport ?? (uri.host === undefined ? 'unix' : 'tls')
  switch (transport) {
    case 'unix':
      if (uri.host !== undefined) parameters.refuse('a unix socket is on this host: it names another')
      return { by: 'unix', socket: parameters.path('socket'), mode: modeOf(parameters) }
    case 'tcp':
      return { by: 'tcp', host: hostOf(uri, parameters), port: uri.port ?? ports.tcp }
    case 'tls':
      parameters.without('tls_priority', 'which ciphers are used is up to Node.js (--tls-cipher-list)')
      return {
        by: 'tls',
        host: hostOf(uri, parameters),
        port: uri.port ?? ports.tls,
        pkiPath: parameters.path('pkipath'),
        verify: !parameters.flag('no_verify'),
      }
    case 'ssh':
      return sshRoute(uri, parameters)
    case 'ext':
      return { by: 'ext', command: parameters.required('command', 'the program that leads to the peer') }
    default:
      return parameters.refuse(`there is no transport '${transport}': unix, tcp, tls, ssh, ext`)
  }
}

function sshRoute(uri: ConnectUri, parameters: Parameters): SshRoute {
  const { user, port } = uri
  if (user?.startsWith('-')) parameters.refuse('a user name does not begin with a dash')
  return {
    by: 'ssh',
    host: hostOf(uri, parameters),
    port,
    user,
    command: parameters.text('command') ?? 'ssh',
    keyFile: parameters.text('keyfile'),
    noTty: parameters.flag('no_tty'),
    verify: !parameters.flag('no_verify'),
    knownHosts: parameters.path('known_hosts'),
    hostKeys: parameters.oneOf('known_hosts_verify', ['normal', 'auto', 'ignore']),
    methods: parameters.listOf('sshauth', sshMethods),
    proxy: parameters.oneOf('proxy', ['auto', 'netcat', 'native']),
    netcat: parameters.text('netcat') ?? 'nc',
    socket: parameters.path('socket'),
    mode: modeOf(parameters),
  }
}

function modeOf(parameters: Parameters): SocketMode {
  return parameters.oneOf('mode', ['auto', 'direct', 'legacy'])
}

function hostOf(uri: ConnectUri, parameters: Parameters): string {
  const { host } = uri
  if (host === undefined || host.startsWith('-')) return parameters.refuse('it names no host')
  return host.replace(/^\[(.*)\]$/, '$1')
}

/** The parameters of a URI, by their kinds; each refusal shows the URI. */
class Parameters {
  readonly #uri: ConnectUri

  constructor(uri: ConnectUri) {
    this.#uri = uri
  }

  refuse(why: string): never {
    throw new VirError('INVALID_ARG', `'${formatConnectUri(this.#uri)}' leads nowhere: ${why}`, {
      domain: 'URI',
      hint: "Examples: 'qemu+ssh://user@host/system', 'qemu+unix:///system?socket=/path', 'qemu+tls://host/system'",
    })
  }

  text(key: OwnParameter): string | undefined {
    return this.#uri.query[key]
  }

  required(key: OwnParameter, what: string): string {
    return this.text(key) || this.refuse(`'${key}=' is missing, ${what}`)
  }

  path(key: OwnParameter): string | undefined {
    const value = this.text(key)
    if (value !== undefined && !value.startsWith('/')) this.refuse(`'${key}=' is not an absolute path`)
    return value
  }

  flag(key: OwnParameter): boolean {
    const value = this.text(key)
    if (value === undefined || value === '0') return false
    return value === '1' || value === '' || this.refuse(`'${key}=' is either 0 or 1`)
  }

  oneOf<T extends string>(key: OwnParameter, values: readonly [T, ...T[]]): T {
    const value = this.text(key)
    if (value === undefined) return values[0]
    const found = values.find((each) => each === value)
    return found ?? this.refuse(`'${key}=' is one of ${values.join(', ')}`)
  }

  listOf<T extends string>(key: OwnParameter, values: readonly T[]): readonly T[] {
    return (this.text(key)?.split(',') ?? []).map(
      (text) =>
        values.find((each) => each === text) ?? this.refuse(`'${key}=' is a list of ${values.join(', ')}`),
    )
  }

  count(key: OwnParameter, fallback: number): number {
    const value = this.text(key)
    if (value === undefined) return fallback
    return /^\d{1,6}$/.test(value) ? Number(value) : this.refuse(`'${key}=' is not a number`)
  }

  seconds(key: OwnParameter, fallback: number): number {
    return this.count(key, fallback) * 1000
  }

  without(key: OwnParameter, why: string): void {
    if (this.text(key) !== undefined) this.refuse(`'${key}=' is not supported: ${why}`)
  }
}
