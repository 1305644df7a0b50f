import { type Connection, type Domain, type Driver, isVirError, messageOf, VirError } from '@covirt/core'
import { ContainerHome } from './container-home.js'
import { isUsed } from './directory-users.js'
import { lxcDriver } from './lxc-driver.js'

/** How {@link makeContainer} makes one. */
export interface MakeContainerOptions {
  readonly name: string
  /** Fills the empty directory that becomes the root file system. */
  readonly fill: (rootfs: string) => Promise<void>
  /** The definition on it. */
  readonly document: (rootfs: string) => string
  readonly signal: AbortSignal
  /** Told what could not be removed again after a failure. */
  readonly onWarning: (message: string) => void
}

/** A container that has been made, and where it is. */
export interface MadeContainer<D extends Driver = Driver> {
  readonly domain: Domain<D>
  readonly home: ContainerHome
}

/**
 * Makes a root file system below the state directory of `connection`, and defines a container on it. Where that fails,
 * or this process dies meanwhile, nothing of it is left, or what is left makes way for the next attempt.
 */
export async function makeContainer<D extends Driver>(
  connection: Connection<D>,
  { name, fill, document, signal, onWarning }: MakeContainerOptions,
): Promise<MadeContainer<D>> {
  const home = new ContainerHome(connection.uri, name)
  await refuseNameInUse(connection, name, signal)
  await keepWhatIsUsed(connection, home, signal)
  await home.make()
  let domain: Domain<D>
  try {
    await fill(home.rootfs)
    const { syncFileSystem } = await lxcDriver()
    await syncFileSystem(home.rootfs)
    domain = await connection.domains.define(document(home.rootfs), { signal })
  } catch (error) {
    await home
      .remove()
      .catch((failure: unknown) => onWarning(`'${name}' could not be removed again: ${messageOf(failure)}`))
    throw error
  }
  await home.finish()
  return { domain, home }
}

async function refuseNameInUse<D extends Driver>(
  { domains }: Connection<D>,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    await domains.lookupByName(name, { signal })
  } catch (error) {
    if (isVirError(error, 'NO_DOMAIN')) return
    throw error
  }
  throw new VirError('DOM_EXIST', `Domain '${name}' exists already`, {
    domain: 'DOM',
    hint: `Choose another name, or remove it: covirt undefine ${name} --remove-rootfs`,
  })
}

/** A directory that a domain stands on is finished, though its maker may have died before it said so. */
async function keepWhatIsUsed<D extends Driver>(
  { driver }: Connection<D>,
  home: ContainerHome,
  signal: AbortSignal,
): Promise<void> {
  if ((await home.exists()) && (await isUsed(home.directory, driver, { signal }))) await home.finish()
}
