import { type AskCredentials, type CallOptions, type Credentials, VirError } from '@covirt/core'
import type { RemoteTarget } from '../remote-target.js'
import { readAuthFile } from './auth-file.js'

/** Where name and password come from. */
export interface CredentialsSource {
  readonly target: RemoteTarget
  /** What is asked for what no file says. */
  readonly ask: AskCredentials | undefined
}

/** Name and password for the peer. `AUTH_FAILED`, with where they could be, where there are none. */
export async function findCredentials(
  { target, ask }: CredentialsSource,
  options: CallOptions,
): Promise<Credentials> {
  const { uri, user, authFile, route } = target
  const host = 'host' in route ? route.host : 'localhost'
  const kept = await readAuthFile(authFile, host)
  const isForUser = user === undefined || kept?.user === undefined || kept.user === user
  const known = { user: user ?? kept?.user, password: isForUser ? kept?.password : undefined }
  if (known.user !== undefined && known.password !== undefined)
    return { user: known.user, password: known.password }
  const asked = await ask?.({ uri, user: known.user }, options)
  if (asked) return asked
  throw new VirError('AUTH_FAILED', `${host} wants a name and a password`, {
    domain: 'AUTH',
    hint: `Put them where libvirt's clients look for them: ~/.config/libvirt/auth.conf, or '?authfile=PATH'`,
  })
}
