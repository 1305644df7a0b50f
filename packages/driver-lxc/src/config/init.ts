import { VirError } from '@covirt/core'
import type { DomainXml } from '@covirt/xml'
import type { ConfigLine } from './config-lines.js'

/** The init of a definition that names none. */
export const defaultInit = '/sbin/init'

/** The program that a container runs first, and its arguments. */
export function initArgv({ os }: DomainXml): readonly string[] {
  return [os.init ?? defaultInit, ...os.initArgs]
}

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** What the container runs first, as whom, where, and with which environment. */
export function initLines(document: DomainXml): ConfigLine[] {
  const { os, uuid } = document
  return [
    ...commandLines(initArgv(document)),
    ...optional('lxc.init.cwd', os.initDir),
    ...optional('lxc.init.uid', numericId('inituser', os.initUser)),
    ...optional('lxc.init.gid', numericId('initgroup', os.initGroup)),
    ...environmentLines(os.initEnv, uuid),
  ]
}

/**
 * For starts by liblxc's own tools; ours hands over {@link initArgv} itself. liblxc 5.0 splits the command at blanks
 * and knows no quotes, later ones know quotes at the start of a word: one that either would change is left out.
 */
function commandLines(argv: readonly string[]): ConfigLine[] {
  const isPlain = argv.every((word) => word !== '' && !/^["']|\s/.test(word))
  return isPlain ? [['lxc.init.cmd', argv.join(' ')]] : []
}

/** libvirt writes ids as `0` or `+0`; names could be looked up only inside of the container. */
function numericId(element: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const match = /^\+?(\d{1,10})$/.exec(text.trim())
  if (match && Number(match[1]) < 0xffff_ffff) return match[1]
  throw new VirError('CONFIG_UNSUPPORTED', `<${element}> ${text} is not a number`, {
    domain: 'LXC',
    hint: 'Write the numeric id that the name has inside of the container',
  })
}

function environmentLines(initEnv: DomainXml['os']['initEnv'], uuid: string | undefined): ConfigLine[] {
  const environment = new Map([
    ['PATH', defaultPath],
    ['TERM', 'linux'],
    // systemd makes its machine id of it (https://systemd.io/CONTAINER_INTERFACE).
    ...(uuid === undefined ? [] : [['container_uuid', uuid] as const]),
  ])
  for (const { name, value } of initEnv) {
    if (!/^[^=\s"'\0][^=\s\0]*$/.test(name)) {
      throw new VirError('CONFIG_UNSUPPORTED', `<initenv name='${name}'> is not a name for a variable`, {
        domain: 'LXC',
      })
    }
    environment.set(name, value ?? '')
  }
  return [...environment].map(([name, value]) => ['lxc.environment', `${name}=${value}`])
}

function optional(key: string, value: string | undefined): ConfigLine[] {
  return value === undefined ? [] : [[key, value]]
}
