import { throwIfAborted } from '@covirt/core'
import type { Template, TemplateOptions } from './templates/template.js'

/** The templates that there are: what a container's root file system is made from. */
export const rootfsTemplates = ['busybox', 'debian'] as const

/** One of {@link rootfsTemplates}. */
export type RootfsTemplate = (typeof rootfsTemplates)[number]

/** How {@link createRootfs} fills a directory: from a template, or from a root file system that there is. */
export interface CreateRootfsOptions extends Omit<TemplateOptions, 'directory' | 'onProgress' | 'signal'> {
  readonly template?: RootfsTemplate | undefined
  /** A directory, or a tar archive, plain or compressed with gzip, xz, zstd or bzip2; in place of a template. */
  readonly from?: string | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((step: string) => void) | undefined
}

/**
 * Fills an empty directory with the root file system of a container, and resolves to the path in it of the program
 * to run first. `busybox` is made of this machine's static busybox; `debian` is bootstrapped from the network, as
 * root. What is taken `from` somewhere keeps its owners, modes, links and attributes; an archive that holds what could
 * reach out of the directory is refused. `OPERATION_FAILED`, saying what to install, where this machine lacks
 * something; the directory may be half full then.
 */
export async function createRootfs(directory: string, options: CreateRootfsOptions): Promise<string> {
  const { template: name, from, signal = new AbortController().signal, onProgress = () => {} } = options
  if ((name === undefined) === (from === undefined))
    throw new TypeError('Either a template or from must be given')
  throwIfAborted(signal)
  if (from !== undefined) {
    const { copyRootfs } = await import('./rootfs/copy-rootfs.js')
    onProgress(`copying ${from}`)
    await copyRootfs(from, directory, { signal })
    return '/sbin/init'
  }
  const template = await load(name as RootfsTemplate)
  await template.build({ ...options, directory, signal, onProgress })
  throwIfAborted(signal)
  return template.init
}

async function load(name: RootfsTemplate): Promise<Template> {
  if (name === 'busybox') return (await import('./templates/busybox.js')).busybox
  if (name === 'debian') return (await import('./templates/debian.js')).debian
  throw new TypeError(`'${name}' is not a template: ${rootfsTemplates.join(', ')}`)
}
