import { VirError } from '@covirt/core'
import type { ConfigLine } from './config-lines.js'

/** Bounds on what is read: a configuration comes from anywhere. */
const maxBytes = 1024 * 1024
const maxLines = 10_000

/** liblxc's keys before 2.1, with what they are called since. */
const renamed: Readonly<Record<string, string>> = {
  'lxc.utsname': 'lxc.uts.name',
  'lxc.rootfs': 'lxc.rootfs.path',
  'lxc.mount': 'lxc.mount.fstab',
  'lxc.id_map': 'lxc.idmap',
  'lxc.init_cmd': 'lxc.init.cmd',
  'lxc.init_uid': 'lxc.init.uid',
  'lxc.init_gid': 'lxc.init.gid',
  'lxc.tty': 'lxc.tty.max',
  'lxc.pts': 'lxc.pty.max',
  'lxc.haltsignal': 'lxc.signal.halt',
  'lxc.rebootsignal': 'lxc.signal.reboot',
  'lxc.stopsignal': 'lxc.signal.stop',
  'lxc.aa_profile': 'lxc.apparmor.profile',
  'lxc.se_context': 'lxc.selinux.context',
  'lxc.seccomp': 'lxc.seccomp.profile',
  'lxc.console': 'lxc.console.path',
  'lxc.logfile': 'lxc.log.file',
  'lxc.loglevel': 'lxc.log.level',
}

/**
 * The lines of a liblxc configuration (lxc.container.conf(5)), in order, with keys of before 2.1 as they are called now.
 * Comments and whatever else is no assignment are left out, as liblxc does. `INVALID_ARG` for a text that is too long.
 */
export function parseConfig(text: string): ConfigLine[] {
  if (text.length > maxBytes) throw tooLong()
  const lines = text.split('\n')
  if (lines.length > maxLines) throw tooLong()
  let network = -1
  return lines.flatMap((line): ConfigLine[] => {
    const match = /^\s*(lxc\.[^\s=]+)\s*=\s*(.*?)\s*$/.exec(line)
    if (!match) return []
    const [, key = '', value = ''] = match
    // Each type began another link.
    if (key === 'lxc.network.type') network++
    return [[currentKey(key, network), unquote(value)]]
  })
}

function currentKey(key: string, network: number): string {
  const old = /^lxc\.network\.(.+)$/.exec(key)?.[1]
  if (old !== undefined) {
    const name = { ipv4: 'ipv4.address', ipv6: 'ipv6.address' }[old] ?? old
    return `lxc.net.${Math.max(network, 0)}.${name}`
  }
  return renamed[key] ?? key
}

function unquote(value: string): string {
  return /^(["'])(.*)\1$/.exec(value)?.[2] ?? value
}

function tooLong(): VirError {
  return new VirError('INVALID_ARG', 'The configuration is too long to be one of a container', {
    domain: 'LXC',
    hint: `At most ${maxBytes} bytes and ${maxLines} lines`,
  })
}

/** The lines of a configuration, each to be taken once. */
export class NativeLines {
  readonly #lines: (ConfigLine | undefined)[]

  constructor(lines: readonly ConfigLine[]) {
    this.#lines = [...lines]
  }

  /** The values of a key, or of keys, in order. An empty one undoes those before it, as for liblxc. */
  all(key: string | RegExp): ConfigLine[] {
    const found: ConfigLine[] = []
    for (const [index, line] of this.#lines.entries()) {
      if (!line || !(typeof key === 'string' ? line[0] === key : key.test(line[0]))) continue
      this.#lines[index] = undefined
      if (line[1] === '' && typeof key === 'string') found.length = 0
      else found.push(line)
    }
    return found
  }

  values(key: string): string[] {
    return this.all(key).map(([, value]) => value)
  }

  /** The value that counts, of a key that has one. */
  last(key: string): string | undefined {
    return this.values(key).at(-1)
  }

  /** What has not been taken. */
  rest(): ConfigLine[] {
    return this.#lines.filter((line) => line !== undefined)
  }

  /** Gives back what was taken in vain. */
  restore(lines: readonly ConfigLine[]): void {
    this.#lines.push(...lines)
  }
}
