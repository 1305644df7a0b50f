import { chmod, chown, lstat, mkdir, readFile, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type CallOptions, type Connection, type Domain, type Driver, VirError } from '@covirt/core'
import { type DomainXml, formatDomain, parseDomain } from '@covirt/xml'
import { lxcDriver } from './lxc-driver.js'
import { type MadeContainer, makeContainer } from './make-container.js'

/** How {@link cloneContainer} clones. */
export interface CloneContainerOptions extends CallOptions {
  /**
   * Keep only what the clone changes: it takes milliseconds and no space, and needs the root file system of the source as
   * it is for as long as there is the clone. The source must be off.
   */
  readonly linked?: boolean | undefined
  /** Told what could not be removed again after a failure. */
  readonly onWarning?: ((message: string) => void) | undefined
}

/** What is asked of a domain that is cloned. */
type ClonedDomain = Pick<Domain, 'name' | 'xml' | 'state' | 'suspend' | 'resume'>

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
  { linked = false, signal = new AbortController().signal, onWarning = () => {} }: CloneContainerOptions = {},
): Promise<MadeContainer<D>> {
  const original = parseDomain(await source.xml({ inactive: true, secure: true, signal }))
  const root = rootDirectoryOf(original)
  return makeContainer(connection, {
    name,
    fill: async (rootfs) => {
      if (linked) {
        await requireOff(source, signal)
        const changes = join(rootfs, 'data')
        await makeLike(root, changes)
        return becomeAnother({ from: root, to: changes }, name)
      }
      const { copyTree } = await lxcDriver()
      await rmdir(rootfs)
      await whileStill(source, signal, () => copyTree(root, rootfs, { signal }))
      await becomeAnother({ from: rootfs, to: rootfs }, name)
    },
    document: (rootfs) =>
      formatDomain(linked ? overlayOn(original, { name, dir: rootfs }) : cloneOf(original, { name, rootfs })),
    signal,
    onWarning,
  })
}

/**
 * Starts a transient container on the root file system of `base`, a domain that is off, or of a directory. What it changes goes
 * when it ends, however that comes about, and `base` stays as it is. `OPERATION_INVALID` where the domain is active.
 */
export async function createEphemeral<D extends Driver>(
  connection: Connection<D>,
  base: ClonedDomain | DomainXml,
  name: string,
  { signal = new AbortController().signal }: CallOptions = {},
): Promise<Domain<D>> {
  const isDomain = !('devices' in base)
  if (isDomain) await requireOff(base, signal)
  const original = isDomain ? parseDomain(await base.xml({ inactive: true, secure: true, signal })) : base
  rootDirectoryOf(original)
  return connection.domains.create(formatDomain(overlayOn(original, { name })), { signal })
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
  return withRoot(original, name, (root) => ({ ...root, source: { ...root.source, dir: rootfs } }))
}

/** Over the root file system of `original`; with changes kept in `dir`, if that is given. */
function overlayOn(original: DomainXml, { name, dir }: { name: string; dir?: string }): DomainXml {
  const source = { name: rootDirectoryOf(original), ...(dir === undefined ? {} : { dir }) }
  return withRoot(original, name, ({ target, readonly, accessMode }) => ({
    type: 'template',
    source,
    target,
    readonly,
    accessMode,
  }))
}

type DirectoryXml = Extract<DomainXml['devices']['filesystems'][number], { type: 'mount' | 'bind' }>

/** Another domain like `original`, with another root. */
function withRoot(
  original: DomainXml,
  name: string,
  change: (root: DirectoryXml) => DomainXml['devices']['filesystems'][number],
): DomainXml {
  const { devices } = original
  return {
    ...original,
    name,
    uuid: undefined,
    devices: {
      ...devices,
      filesystems: devices.filesystems.map((each) =>
        each.target === '/' && (each.type === 'mount' || each.type === 'bind') ? change(each) : each,
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
  await source.suspend({ brief: true, signal })
  try {
    await act()
  } finally {
    await source.resume()
  }
}

async function requireOff(source: ClonedDomain, signal: AbortSignal): Promise<void> {
  const { state } = await source.state({ signal })
  if (state === 'shutoff') return
  throw new VirError(
    'OPERATION_INVALID',
    `'${source.name}' is ${state}, and changes what others would stand on`,
    {
      domain: 'DOM',
      hint: 'Shut it down first, or make a full clone',
    },
  )
}

/** A directory with the owner and mode of another. */
async function makeLike(model: string, directory: string): Promise<void> {
  const { uid, gid, mode } = await stat(model)
  await mkdir(directory)
  await chown(directory, uid, gid)
  await chmod(directory, mode & 0o7777)
}

interface SystemCopy {
  readonly from: string
  /** The same directory, or one for changes that lies over it. */
  readonly to: string
}

/** Gives a copied system its own host name and machine id, where it has such files. */
async function becomeAnother({ from, to }: SystemCopy, name: string): Promise<void> {
  const etc = { from: join(from, 'etc'), to: join(to, 'etc') }
  // A link could lead out of the copy.
  if (!(await lstat(etc.from).catch(() => undefined))?.isDirectory()) return
  if (etc.from !== etc.to) await makeLike(etc.from, etc.to)
  await replaceText(etc, 'hostname', () => `${name}\n`)
  await replaceText(etc, 'machine-id', () => '')
}

/** Writes a small file anew, if it is a file and no link. */
async function replaceText(
  { from, to }: SystemCopy,
  file: string,
  change: (text: string) => string,
): Promise<void> {
  const path = join(from, file)
  const found = await lstat(path).catch(() => undefined)
  if (!found?.isFile() || found.size > 4096) return
  const text = await readFile(path, 'utf8')
  const changed = change(text)
  if (changed === text) return
  const written = join(to, file)
  // A new file: the old one may have other names.
  await rm(written, { force: true })
  await writeFile(written, changed, { flag: 'wx', mode: found.mode & 0o7777 })
}
