import { homedir } from 'node:os'
import { join } from 'node:path'

/** libvirt's daemons for one kind of guest each, by the scheme of that. */
const modularDaemons: Readonly<Record<string, string>> = { qemu: 'virtqemud', lxc: 'virtlxcd' }

/** Where libvirt's clients look for a daemon, for the drivers with these schemes. */
export function libvirtSockets(
  directory: string,
  schemes: readonly string[],
): readonly { readonly path: string; readonly readOnly: boolean }[] {
  const daemons = ['libvirt', ...schemes.flatMap((scheme) => modularDaemons[scheme] ?? [])]
  return daemons.flatMap((daemon) => [
    { path: join(directory, `${daemon}-sock`), readOnly: false },
    { path: join(directory, `${daemon}-sock-ro`), readOnly: true },
  ])
}

/** Where libvirt's clients look for the system's daemons, or with `session` for those of the calling user. */
export function libvirtDirectory(session: boolean, environment: NodeJS.ProcessEnv = process.env): string {
  if (!session) return '/run/libvirt'
  const { XDG_RUNTIME_DIR: run } = environment
  return run ? join(run, 'libvirt') : join(homedir(), '.cache/libvirt')
}
