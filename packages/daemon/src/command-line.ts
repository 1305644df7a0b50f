import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { messageOf } from '@covirt/core'
import type { LogLevel } from './log/log-format.js'
import { logFormats, logLevels } from './log/log-options.js'

/** What a command line asks for. */
export interface CommandLine {
  readonly help: boolean
  readonly version: boolean
  readonly checkConfig: boolean
  readonly session: boolean
  readonly config: string | undefined
  readonly root: string | undefined
  readonly socket: string | undefined
  readonly libvirtSocket: boolean
  readonly drivers: readonly string[] | undefined
  /** What is to be done with users' passwords, instead of serving. */
  readonly passwords: PasswordCommand | undefined
  readonly logLevel: LogLevel | undefined
  readonly logFormat: (typeof logFormats)[number] | undefined
}

/** What a command line asks to be done with users' passwords. */
export type PasswordCommand =
  | { readonly verb: 'set' | 'remove'; readonly user: string }
  | { readonly verb: 'list' }

export const usage = `Usage: covirtd [options]

Serves LXC containers and QEMU virtual machines over libvirt's protocol.

  --config FILE       read this file (default: /etc/covirt/covirtd.toml; with --root DIR, DIR/etc/covirtd.toml)
  --check-config      say what is wrong in the configuration, and end
  --root DIR          keep everything below DIR: a private instance
  --session           serve guests of the calling user (default unless root)
  --socket PATH       listen here (default: /run/covirt/covirt-sock; with --root DIR, DIR/run/covirt-sock)
  --libvirt-socket    listen on libvirt's default sockets too
  --driver NAME       offer this driver; may be given more than once
  --log-level LEVEL   ${logLevels.join(', ')}
  --log-format FORM   ${logFormats.join(', ')}
  --version, --help

  --set-password USER      read a password from standard input: who logs in (SASL) with it is USER
  --remove-password USER   USER can no longer log in
  --list-passwords         say which users have a password

SIGTERM and SIGINT end it, and guests live on; SIGHUP makes it read its configuration again.
`

/** Throws an `Error` with a sentence for a person where it makes no sense. */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const { values } = parse(args)
  return {
    help: values.help ?? false,
    version: values.version ?? false,
    checkConfig: values['check-config'] ?? false,
    session: values.session ?? false,
    config: absolute(values.config),
    root: absolute(values.root),
    socket: absolute(values.socket),
    libvirtSocket: values['libvirt-socket'] ?? false,
    drivers: values.driver,
    passwords: passwordCommand(values),
    logLevel: oneOf('--log-level', logLevels, values['log-level']),
    logFormat: oneOf('--log-format', logFormats, values['log-format']),
  }
}

function parse(args: readonly string[]) {
  const options = {
    help: { type: 'boolean', short: 'h' },
    version: { type: 'boolean' },
    'check-config': { type: 'boolean' },
    session: { type: 'boolean' },
    config: { type: 'string', short: 'f' },
    root: { type: 'string' },
    socket: { type: 'string' },
    'libvirt-socket': { type: 'boolean' },
    driver: { type: 'string', multiple: true },
    'log-level': { type: 'string' },
    'log-format': { type: 'string' },
    'set-password': { type: 'string' },
    'remove-password': { type: 'string' },
    'list-passwords': { type: 'boolean' },
  } as const
  try {
    return parseArgs({ args: [...args], options, strict: true })
  } catch (error) {
    throw new Error(messageOf(error).split('. ')[0])
  }
}

function passwordCommand(values: ReturnType<typeof parse>['values']): PasswordCommand | undefined {
  const commands: readonly PasswordCommand[] = [
    ...(['set', 'remove'] as const).flatMap((verb) => {
      const user = values[`${verb}-password`]
      return user === undefined ? [] : [{ verb, user }]
    }),
    ...(values['list-passwords'] ? [{ verb: 'list' } as const] : []),
  ]
  if (commands.length > 1) throw new Error('one thing at a time is done with passwords')
  return commands[0]
}

function absolute(path: string | undefined): string | undefined {
  return path === undefined ? undefined : resolve(path)
}

function oneOf<T extends string>(
  option: string,
  values: readonly T[],
  value: string | undefined,
): T | undefined {
  const found = values.find((each) => each === value)
  if (value === undefined || found !== undefined) return found
  throw new Error(`${option} must be one of ${values.join(', ')}`)
}
