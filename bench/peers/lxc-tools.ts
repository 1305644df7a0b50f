import { execFile } from 'node:child_process'
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Arena, Contestant } from './contestant.js'

const run = promisify(execFile)
const name = 'cv-bench'

/**
 * liblxc's own tools, each a program of its own. With the configuration `like`, which covirt has made: without a user
 * namespace, as those tools cannot give ids to it that /etc/subuid does not give to root.
 */
export async function lxcTools(
  { rootfs, directory }: Arena,
  like: { readonly config: string; readonly seccomp: string },
): Promise<Contestant> {
  const place = join(directory, 'lxc')
  await mkdir(join(place, name), { recursive: true })
  await run('cp', ['-a', rootfs, join(place, name, 'rootfs')])
  await copyFile(like.seccomp, join(place, name, 'seccomp'))
  const config = (await readFile(like.config, 'utf8'))
    .replace(/^lxc\.(cgroup\.dir|console|rootfs|uts)\..*\n/gm, '')
    .replace(/^(lxc.seccomp.profile = ).*/m, `$1${join(place, name, 'seccomp')}`)
    .replace(/^(lxc.signal.halt = ).*/m, '$1SIGPWR')
  const own = [`lxc.uts.name = ${name}`, `lxc.rootfs.path = dir:${join(place, name, 'rootfs')}`]
  await writeFile(join(place, name, 'config'), `${config}\n${own.join('\n')}\n`)
  const tool = (program: string, ...args: readonly string[]) =>
    run(program, ['-P', place, '-n', name, ...args])
  return {
    name: 'lxc-*',
    start: () => tool('lxc-start', '-d'),
    stop: () => tool('lxc-stop'),
    cycle: async () => {
      await tool('lxc-stop')
      await tool('lxc-start', '-d')
    },
    freeze: () => tool('lxc-freeze'),
    thaw: () => tool('lxc-unfreeze'),
    exec: (argv) => tool('lxc-attach', '--clear-env', '--', ...argv),
    clone: (other) => tool('lxc-copy', '-N', other),
    linked: (other) => tool('lxc-copy', '-N', other, '-s', '-B', 'overlayfs'),
    removeClone: (other) => run('lxc-destroy', ['-P', place, '-n', other]),
    snapshot: () => tool('lxc-snapshot'),
    removeSnapshot: () => tool('lxc-snapshot', '-d', 'snap0'),
    async [Symbol.asyncDispose]() {
      await tool('lxc-stop', '-k').catch(() => {})
    },
  }
}
