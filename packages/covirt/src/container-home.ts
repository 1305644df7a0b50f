import { chmod, lstat, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ConnectUri, messageOf, parseConnectUri, VirError } from '@covirt/core'
import { resolveRoot } from '@covirt/local/served'
import { leavingName } from './leaving-containers.js'

/** Its file names what has no definition yet: what may be removed without asking. */
const markerName = 'unfinished'

/**
 * The directory of a container that `create-container` made, below the state directory of the root that a
 * connection works on. Nobody else may enter it: a program that container root has marked set-user-ID would
 * otherwise be root's for every user of the host.
 */
export class ContainerHome {
  readonly directory: string
  readonly rootfs: string
  readonly #parent: string
  readonly #marker: string
  readonly #leaving: string

  /** Whether a container can be called so. */
  static isName(name: string): boolean {
    return /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name)
  }

  /** `INVALID_ARG` where `uri` leads to no containers, or `name` is none for one. */
  constructor(uri: string, name: string) {
    if (!ContainerHome.isName(name)) {
      throw new VirError('INVALID_ARG', `'${name}' is no name for a container`, {
        hint: 'It becomes a hostname: letters, digits, dots and dashes, 63 characters at the most',
      })
    }
    this.#parent = containersOf(containerUri(uri))
    this.directory = join(this.#parent, name)
    this.rootfs = join(this.directory, 'rootfs')
    this.#marker = join(this.directory, markerName)
    this.#leaving = join(this.directory, leavingName)
  }

  /** Makes it, with an empty root file system, marked as unfinished; in place of one that was never finished. */
  async make(): Promise<void> {
    try {
      await mkdir(this.#parent, { recursive: true, mode: 0o700 })
      await chmod(this.#parent, 0o700)
      if ((await exists(this.#marker)) || (await exists(this.#leaving))) await this.remove()
      await mkdir(this.directory, { mode: 0o700 })
      await writeFile(this.#marker, '')
      await mkdir(this.rootfs)
      // it is / of the container, whose users all have to enter it, whatever umask this process has
      await chmod(this.rootfs, 0o755)
    } catch (cause) {
      if (cause instanceof VirError) throw cause
      if ((cause as NodeJS.ErrnoException).code === 'EEXIST') throw alreadyThere(this.directory)
      throw new VirError('OPERATION_FAILED', `Cannot make ${this.directory}: ${messageOf(cause)}`, { cause })
    }
  }

  /** From here on nothing but being told so is a reason to remove it. */
  async finish(): Promise<void> {
    await rm(this.#marker, { force: true })
    await rm(this.#leaving, { force: true })
  }

  /** Whether there is one, made of directories of its own. */
  async exists(): Promise<boolean> {
    return (await isDirectory(this.directory)) && (await isDirectory(this.rootfs))
  }

  /** Removes it with all that is in it. `OPERATION_FAILED` where something is mounted there. */
  async remove(): Promise<void> {
    const { removeTree } = await import('@covirt/local')
    // The marker goes last: what is interrupted here can be taken up again.
    await removeTree(this.rootfs)
    await removeTree(this.directory)
  }
}

/** Where the containers are whose root file systems `create-container` made, for a URI that leads to such. */
export function containersOf(uri: ConnectUri): string {
  return join(resolveRoot(uri).stateDirectory, 'containers')
}

function containerUri(uri: string): ConnectUri {
  const parsed = parseConnectUri(uri)
  const { scheme, transport = 'unix', host } = parsed
  // a unix socket leads to the daemon that owns the root here
  if ((scheme === 'covirt' || scheme === 'lxc') && transport === 'unix' && host === undefined) return parsed
  throw new VirError('INVALID_ARG', `Containers cannot be made through ${uri}`, {
    hint: 'Use -c covirt:///system or -c lxc:///system',
  })
}

function alreadyThere(directory: string): VirError {
  return new VirError('OPERATION_INVALID', `${directory} exists already, though no domain has that name`, {
    hint: `It may hold the data of a container that was undefined: choose another name, or 'rm -r --one-file-system ${directory}'`,
  })
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  )
}

async function isDirectory(path: string): Promise<boolean> {
  return lstat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  )
}
