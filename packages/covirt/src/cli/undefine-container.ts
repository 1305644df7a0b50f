import { basename, dirname } from 'node:path'
import { type CallOptions, type Domain, isVirError, VirError } from '@covirt/core'
import { parseDomain } from '@covirt/xml'
import { ContainerHome } from '../container-home.js'
import { removeWithDefinition } from '../container-removal.js'
import type { Cli } from './cli.js'

/**
 * Removes the definition of `domain` and the root file system that `create-container` made for it, and resolves to
 * the path of that. `OPERATION_INVALID`, having done nothing, where the domain is active, where its root file
 * system is elsewhere, or where another domain uses it too.
 */
export async function undefineContainer(cli: Cli, domain: Domain): Promise<string> {
  const home = await homeOf(cli, domain)
  await removeContainer(domain, home, { signal: cli.signal })
  return home.rootfs
}

/** Removes the definition, then the directory; where the first fails, the other stays. */
export function removeContainer(domain: Domain, home: ContainerHome, options?: CallOptions): Promise<void> {
  return removeWithDefinition(home.directory, domain.uuid, () => domain.undefine(options))
}

async function homeOf(cli: Cli, domain: Domain): Promise<ContainerHome> {
  const { uri, domains } = await cli.connection()
  if (await domain.isActive(cli)) {
    throw refusal(
      `Domain '${domain.name}' is active`,
      `Shut it down first: covirt shutdown ${domain.name} --wait`,
    )
  }
  const directories = await directoriesOf(cli, domain)
  const home = homeOfRoot(uri, directories, domain.name)
  if (
    !directories.some(({ source, target }) => target === '/' && source === home.rootfs) ||
    !(await home.exists())
  ) {
    throw refusal(
      `The root file system of '${domain.name}' is not one that create-container made: that would be ${home.rootfs}`,
      'Undefine it without --remove-rootfs, and remove what you no longer need by hand',
    )
  }
  for (const other of await domains.list({}, cli)) {
    if (other.uuid === domain.uuid) continue
    const used = await directoriesOf(cli, other)
    if (used.some(({ source }) => source === home.directory || source?.startsWith(`${home.directory}/`))) {
      throw refusal(`Domain '${other.name}' uses ${home.directory} too`, `Undefine '${other.name}' first`)
    }
  }
  return home
}

/** That which its root lies in, if it has the form of one: a domain may have been renamed since. */
function homeOfRoot(
  uri: string,
  directories: Awaited<ReturnType<typeof directoriesOf>>,
  name: string,
): ContainerHome {
  const root = directories.find(({ target }) => target === '/')?.source ?? ''
  const candidate = basename(dirname(root))
  const home = ContainerHome.isName(candidate) ? new ContainerHome(uri, candidate) : undefined
  return home?.rootfs === root ? home : new ContainerHome(uri, name)
}

/** What a domain has from directories of the host; nothing where it has gone meanwhile. */
async function directoriesOf(
  cli: Cli,
  domain: Domain,
): Promise<readonly { readonly source: string | undefined; readonly target: string | undefined }[]> {
  try {
    const document = parseDomain(await domain.xml({ inactive: true, signal: cli.signal }))
    return document.devices.filesystems.flatMap((filesystem) => {
      const { type, target } = filesystem
      if (type === 'mount' || type === 'bind') return [{ source: filesystem.source?.dir, target }]
      if (type !== 'template') return []
      const { name, dir } = filesystem.source ?? {}
      return [
        { source: dir, target },
        { source: name, target: undefined },
      ]
    })
  } catch (error) {
    if (isVirError(error, 'NO_DOMAIN')) return []
    throw error
  }
}

function refusal(message: string, hint: string): VirError {
  return new VirError('OPERATION_INVALID', message, { domain: 'DOM', hint })
}
