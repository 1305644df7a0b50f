import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * Where libvirt's clients look for a daemon, for URIs with these schemes: at the daemon of the scheme, then at that of
 * all. Only for schemes that are their own do they look no further.
 */
export function libvirtSockets(
  directory: string,
  schemes: readonly string[],
): readonly { readonly path: string; readonly readOnly: boolean }[] {
  const daemons = ['libvirt', ...['covirt', ...schemes].map((scheme) => `virt${scheme}d`)]
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
