import { existsSync } from 'node:fs'
import { chmod, type FileHandle, lstat, mkdir, open, rm, rmdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type ConnectUri, messageOf, parseConnectUri, VirError } from '@covirt/core'
import { resolveRoot } from '@covirt/local/served'
import { leavingName } from './leaving-containers.js'
import { lxcDriver } from './lxc-driver.js'

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
  /** Locked for as long as this process makes it. */
  #making: FileHandle | undefined

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

  /**
   * Makes it, with an empty root file system, marked as unfinished; in place of one that was never finished.
   * `RESOURCE_BUSY` where somebody else is making or removing one of this name.
   */
  async make(): Promise<void> {
    try {
      await mkdir(this.#parent, { recursive: true, mode: 0o700 })
      await chmod(this.#parent, 0o700)
      await this.#removeAbandoned()
      await mkdir(this.directory, { mode: 0o700 })
      this.#making = await this.#lock(this.#marker, 'wx')
      await mkdir(this.rootfs)
      // it is / of the container, whose users all have to enter it, whatever umask this process has
      await chmod(this.rootfs, 0o755)
    } catch (cause) {
      await this.#letGo()
      if (cause instanceof VirError) throw cause
      if ((cause as NodeJS.ErrnoException).code === 'EEXIST') throw this.#alreadyThere()
      throw new VirError('OPERATION_FAILED', `Cannot make ${this.directory}: ${messageOf(cause)}`, { cause })
    }
  }

  /** From here on nothing but being told so is a reason to remove it. */
  async finish(): Promise<void> {
    await rm(this.#marker, { force: true })
    await rm(this.#leaving, { force: true })
    await this.#letGo()
  }

  /** Whether there is one, made of directories of its own. */
  async exists(): Promise<boolean> {
    return (await isDirectory(this.directory)) && (await isDirectory(this.rootfs))
  }

  /** Removes it with all that is in it. `OPERATION_FAILED` where something is mounted there. */
  async remove(): Promise<void> {
    const { removeTree } = await lxcDriver()
    // The marker goes last: what is interrupted here can be taken up again.
    await removeTree(this.rootfs)
    await removeTree(this.directory)
    await this.#letGo()
  }

  /** What was never finished, or not wholly removed, by one who has died since. */
  async #removeAbandoned(): Promise<void> {
    const marker = this.#heldBy()
    // An empty one is of a maker who has died before the marker, or finds no place for it now.
    if (marker === undefined) return rmdir(this.directory).catch(() => {})
    await using _lock = await this.#lock(marker, 'r')
    await this.remove()
  }

  /** The file that is locked by who makes or removes it. */
  #heldBy(): string | undefined {
    return [this.#marker, this.#leaving].find((each) => existsSync(each))
  }

  #alreadyThere(): VirError {
    if (this.#heldBy() !== undefined || !existsSync(this.rootfs)) return inOtherHands(this.directory)
    return alreadyThere(this.directory)
  }

  async #lock(marker: string, flags: 'r' | 'wx'): Promise<FileHandle> {
    const { tryLockFile } = await lxcDriver()
    const file = await open(marker, flags).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT' ? inOtherHands(this.directory) : error
    })
    // Whoever had it locked before us may have removed it.
    if (tryLockFile(file) && (await isStillAt(marker, file))) return file
    await file.close()
    throw inOtherHands(this.directory)
  }

  async #letGo(): Promise<void> {
    const file = this.#making
    this.#making = undefined
    await file?.close()
  }
}

/** Where the containers are whose root file systems `create-container` made, for a URI that leads to such. */
export function containersOf(uri: ConnectUri): string {
  return join(resolveRoot(uri).stateDirectory, 'containers')
}

/** Where the definitions of containers are, for a URI that leads to such. */
export function definitionsOf(uri: ConnectUri): string {
  return join(resolveRoot(uri).configDirectory, 'lxc')
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

function inOtherHands(directory: string): VirError {
  return new VirError('RESOURCE_BUSY', `${directory} is being made or removed by another process`, {
    hint: 'Choose another name, or try again when that is done',
  })
}

async function isStillAt(path: string, file: FileHandle): Promise<boolean> {
  const [there, own] = await Promise.all([stat(path).catch(() => undefined), file.stat()])
  return there?.ino === own.ino
}

async function isDirectory(path: string): Promise<boolean> {
  return lstat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  )
}
