import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { type ConnectUri, VirError } from '@covirt/core'

/** Where one instance of covirt keeps everything. */
export interface Root {
  /** For definitions, which survive all. */
  readonly configDirectory: string
  /** For what guests need over reboots of the host. */
  readonly stateDirectory: string
  /** For what ends with the host's next reboot: sockets, statuses, the lock. */
  readonly runDirectory: string
  readonly logDirectory: string
}

/**
 * The root that a local URI names: `?root=DIR` keeps all below DIR; else `/system` is root's
 * (/etc, /var/lib, /run, /var/log) and `/session` the calling user's (XDG directories).
 */
export function resolveRoot(uri: ConnectUri, environment: NodeJS.ProcessEnv = process.env): Root {
  const { root } = uri.query
  if (root !== undefined) {
    if (!isAbsolute(root)) {
      throw new VirError('INVALID_ARG', `root='${root}' must be an absolute path`, { domain: 'URI' })
    }
    const base = resolve(root)
    return {
      configDirectory: join(base, 'etc'),
      stateDirectory: join(base, 'lib'),
      runDirectory: join(base, 'run'),
      logDirectory: join(base, 'log'),
    }
  }
  return uri.path === '/session' ? sessionRoot(environment) : systemRoot
}

const systemRoot: Root = {
  configDirectory: '/etc/covirt',
  stateDirectory: '/var/lib/covirt',
  runDirectory: '/run/covirt',
  logDirectory: '/var/log/covirt',
}

/** As the XDG base directory specification has it, with its defaults. */
function sessionRoot(environment: NodeJS.ProcessEnv): Root {
  const directory = (variable: string, fallback: string) =>
    join(environment[variable] || join(environment.HOME || homedir(), fallback), 'covirt')
  const state = directory('XDG_STATE_HOME', '.local/state')
  return {
    configDirectory: directory('XDG_CONFIG_HOME', '.config'),
    stateDirectory: directory('XDG_DATA_HOME', '.local/share'),
    runDirectory: environment.XDG_RUNTIME_DIR
      ? join(environment.XDG_RUNTIME_DIR, 'covirt')
      : join(state, 'run'),
    logDirectory: join(state, 'log'),
  }
}
