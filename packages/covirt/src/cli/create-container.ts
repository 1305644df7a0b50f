import { type Connection, type Domain, isVirError, messageOf, VirError } from '@covirt/core'
import { formatDomain } from '@covirt/xml'
import { type CreateRootfsOptions, createRootfs, type RootfsTemplate } from '../create-rootfs.js'
import type { Cli } from './cli.js'
import { ContainerHome } from './container-home.js'
import { startProgress } from './progress.js'
import { removeContainer } from './undefine-container.js'

/** What `create-container` is told. */
export interface CreateContainerFlags {
  readonly template: RootfsTemplate
  /** In KiB. */
  readonly memory: number
  readonly bridge?: string
  readonly suite?: string
  readonly mirror?: string
  readonly start?: boolean
}

/** Makes a root file system from a template and defines a container on it. Where it fails, nothing is left. */
export async function createContainer(cli: Cli, name: string, flags: CreateContainerFlags): Promise<void> {
  const connection = await cli.connection()
  const home = new ContainerHome(connection.uri, name)
  await refuseNameInUse(connection, name, cli)
  await home.make()
  const domain = await fillAndDefine(cli, home, { ...flags, name })
  try {
    if (flags.start) await domain.start({ signal: cli.signal })
  } catch (error) {
    await removeAgain(cli, name, () => removeContainer(domain, home))
    throw error
  }
  const done = flags.start ? 'created and started' : 'created'
  const text = `Domain '${name}' ${done}; its root is ${home.rootfs}\n`
  cli.result({ json: { ...domain.ref, rootfs: home.rootfs, started: flags.start === true }, text })
}

async function fillAndDefine(
  cli: Cli,
  home: ContainerHome,
  options: CreateContainerFlags & { readonly name: string },
): Promise<Domain> {
  let domain: Domain
  try {
    const init = await fill(cli, home.rootfs, options)
    const { domains } = await cli.connection()
    domain = await domains.define(containerXml(home.rootfs, init, options), { signal: cli.signal })
  } catch (error) {
    await removeAgain(cli, options.name, () => home.remove())
    throw error
  }
  await home.finish()
  return domain
}

/** What goes wrong in it is told beside the error that led to it, not in its place. */
async function removeAgain(cli: Cli, name: string, remove: () => Promise<void>): Promise<void> {
  try {
    await remove()
  } catch (error) {
    cli.warn(`'${name}' could not be removed again: ${messageOf(error)}`)
  }
}

async function refuseNameInUse({ domains }: Connection, name: string, { signal }: Cli): Promise<void> {
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

async function fill(cli: Cli, directory: string, options: CreateRootfsOptions): Promise<string> {
  const progress = startProgress(cli, `Making the root file system of '${options.name}'`)
  try {
    return await createRootfs(directory, { ...options, signal: cli.signal, onProgress: progress.step })
  } finally {
    progress.end()
  }
}

function containerXml(
  rootfs: string,
  init: string,
  { name, ...flags }: CreateContainerFlags & { readonly name: string },
): string {
  const interfaces =
    flags.bridge === undefined ? [] : [{ type: 'bridge' as const, source: { bridge: flags.bridge } }]
  return formatDomain({
    type: 'lxc',
    name,
    memoryKib: BigInt(flags.memory),
    vcpu: { count: 1 },
    os: { type: { type: 'exe' }, init },
    devices: {
      filesystems: [{ type: 'mount', source: { dir: rootfs }, target: '/' }],
      interfaces,
      consoles: [{ type: 'pty' }],
    },
  })
}
