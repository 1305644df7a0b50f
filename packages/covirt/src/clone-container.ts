import { lstat, open, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type CallOptions, type Connection, type Domain, type Driver, VirError } from '@covirt/core'
import { copyTree } from '@covirt/local'
import { type DomainXml, formatDomain, parseDomain } from '@covirt/xml'
import { type MadeContainer, makeContainer } from './make-container.js'

/** How {@link cloneContainer} clones. */
export interface CloneContainerOptions extends CallOptions {
  /** Told what could not be removed again after a failure. */
  readonly onWarning?: ((message: string) => void) | undefined
}

/** What is asked of a domain that is cloned. */
type ClonedDomain = Pick<Domain, 'xml' | 'state' | 'suspend' | 'resume'>

/**
 * Makes a container of its own that is as `source` is: a copy of its root file system, which shares the data with it where
 * the file system can, and its definition with another name, uuid and other MAC addresses. Its host name is the new name,
 * and systemd gives it a machine id of its own at its first start. A source that runs is suspended meanwhile. What else
 * is mounted in the source is in the clone, too: not a copy, but the same. Where it fails nothing is left.
 *
 * `CONFIG_UNSUPPORTED` where the root of `source` is no directory of this host, `DOM_EXIST` where `name` is taken.
 */
export async function cloneContainer<D extends Driver>(
  connection: Connection<D>,
  source: ClonedDomain,
  name: string,
  { signal = new AbortController().signal, onWarning = () => {} }: CloneContainerOptions = {},
): Promise<MadeContainer<D>> {
  const original = parseDomain(await source.xml({ inactive: true, secure: true, signal }))
  const root = rootDirectoryOf(original)
  return makeContainer(connection, {
    name,
    fill: async (rootfs) => {
      await rmdir(rootfs)
      await whileStill(source, signal, () => copyTree(root, rootfs, { signal }))
      await becomeAnother(rootfs, original.name, name)
    },
    document: (rootfs) => formatDomain(cloneOf(original, { name, rootfs })),
    signal,
    onWarning,
  })
}

/** The directory of the host that is the root of a container. */
function rootDirectoryOf({ name, type, devices }: DomainXml): string {
  const root = devices.filesystems.find(({ target }) => target === '/')
  const directory = root?.type === 'mount' || root?.type === 'bind' ? root.source?.dir : undefined
  if (type === 'lxc' && directory !== undefined) return directory
  throw new VirError('CONFIG_UNSUPPORTED', `'${name}' is no container whose root is a directory`, {
    domain: 'DOM',
    hint: "Cloned are domains of type 'lxc' with <filesystem type='mount'> on '/'",
  })
}

function cloneOf(original: DomainXml, { name, rootfs }: { name: string; rootfs: string }): DomainXml {
  const { devices } = original
  return {
    ...original,
    name,
    uuid: undefined,
    devices: {
      ...devices,
      filesystems: devices.filesystems.map((each) =>
        each.target === '/' && (each.type === 'mount' || each.type === 'bind')
          ? { ...each, source: { ...each.source, dir: rootfs } }
          : each,
      ),
      // The driver chooses others.
      interfaces: devices.interfaces.map((each) => ({ ...each, mac: undefined, target: undefined })),
    },
  }
}

/** Does `act` while the guest of `source`, if there is one, does nothing. */
async function whileStill(
  source: ClonedDomain,
  signal: AbortSignal,
  act: () => Promise<void>,
): Promise<void> {
  const { state } = await source.state({ signal })
  if (state !== 'running') return act()
  await source.suspend({ signal })
  try {
    await act()
  } finally {
    await source.resume()
  }
}

/** Gives a copied system its own host name and machine id, where it has such files. */
async function becomeAnother(rootfs: string, oldName: string, name: string): Promise<void> {
  const etc = join(rootfs, 'etc')
  // A link could lead out of the copy.
  if (!(await lstat(etc).catch(() => undefined))?.isDirectory()) return
  await replaceText(join(etc, 'hostname'), (text) => (text.trim() === oldName ? `${name}\n` : text))
  await replaceText(join(etc, 'machine-id'), () => '')
}

/** Changes a small file in place, if it is a file and no link. */
async function replaceText(path: string, change: (text: string) => string): Promise<void> {
  const found = await lstat(path).catch(() => undefined)
  if (!found?.isFile() || found.nlink > 1 || found.size > 4096) return
  const file = await open(path, 'r+')
  try {
    const text = await file.readFile('utf8')
    const changed = change(text)
    if (changed === text) return
    await file.truncate(0)
    await file.write(changed, 0)
  } finally {
    await file.close()
  }
}
