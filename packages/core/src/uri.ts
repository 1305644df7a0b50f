import { VirError } from './errors.js'

/** A connection URI in libvirt's form: `driver[+transport]://[user@][host][:port]/path[?query]`. */
export interface ConnectUri {
  /** Which driver: `lxc`, `qemu`, `test`, `covirt`. */
  readonly scheme: string
  /** How a remote one is reached: `unix`, `tcp`, `tls`, `ssh`, `ext`. */
  readonly transport?: string
  readonly user?: string
  readonly host?: string
  readonly port?: number
  /** Which instance: `/system`, `/session`, `/default`, `/`. */
  readonly path: string
  readonly query: Readonly<Record<string, string>>
}

const schemePattern = /^([a-z][a-z0-9.-]*?)(?:\+([a-z0-9]+))?$/

/** Takes a URI apart. `INVALID_ARG` where it is not one. */
export function parseConnectUri(text: string): ConnectUri {
  let url: URL
  try {
    url = new URL(text)
  } catch (cause) {
    throw invalidUri(text, 'it cannot be parsed', cause)
  }
  const match = schemePattern.exec(url.protocol.slice(0, -1))
  if (!match) throw invalidUri(text, 'its scheme is not one')
  if (!text.slice(url.protocol.length).startsWith('//'))
    throw invalidUri(text, "'//' is missing after the scheme")
  if (url.password) throw invalidUri(text, 'a password has no place in it')
  const query: Record<string, string> = {}
  for (const [key, value] of url.searchParams) {
    if (key in query) throw invalidUri(text, `'${key}' is given twice`)
    query[key] = value
  }
  return {
    scheme: match[1] as string,
    ...(match[2] && { transport: match[2] }),
    ...(url.username && { user: decodeURIComponent(url.username) }),
    ...(url.hostname && { host: url.hostname }),
    ...(url.port && { port: Number(url.port) }),
    path: decodeURIComponent(url.pathname) || '/',
    query,
  }
}

/** Puts a URI together again: the canonical form. */
export function formatConnectUri(uri: ConnectUri): string {
  const user = uri.user === undefined ? '' : `${encodeURIComponent(uri.user)}@`
  const port = uri.port === undefined ? '' : `:${uri.port}`
  const scheme = uri.transport === undefined ? uri.scheme : `${uri.scheme}+${uri.transport}`
  const path = uri.path.split('/').map(encodeURIComponent).join('/')
  const query = new URLSearchParams(uri.query).toString().replaceAll('%2F', '/')
  return `${scheme}://${user}${uri.host ?? ''}${port}${path}${query && `?${query}`}`
}

/** Whether it leads to another process, here or elsewhere: it names a transport, a host, or a socket. */
export function isRemoteUri({ scheme, transport, host, query }: ConnectUri): boolean {
  return scheme === 'remote' || transport !== undefined || host !== undefined || query.socket !== undefined
}

function invalidUri(text: string, why: string, cause?: unknown): VirError {
  return new VirError('INVALID_ARG', `'${text.slice(0, 200)}' is not a connection URI: ${why}`, {
    domain: 'URI',
    hint: "Examples: 'covirt:///system', 'lxc:///system', 'qemu:///session', 'test:///default'",
    cause,
  })
}
