import { resolve } from 'node:path'
import { messageOf, VirError } from '@covirt/core'
import { formatDomain, parseDomain } from '@covirt/xml'
import { createEphemeral } from '../clone-container.js'
import { type CreateRootfsOptions, createRootfs, type RootfsTemplate } from '../create-rootfs.js'
import { type MadeContainer, makeContainer } from '../make-container.js'
import type { Cli } from './cli.js'
import { startProgress } from './progress.js'
import { removeContainer } from './undefine-container.js'

/** What `create-container` is told. */
export interface CreateContainerFlags {
  readonly template?: RootfsTemplate
  /** A directory or an archive, in place of a template. */
  readonly from?: string
  /** The program to run first. */
  readonly init?: string
  /** In KiB. */
  readonly memory: number
  readonly bridge?: string
  readonly suite?: string
  readonly mirror?: string
  readonly start?: boolean
  /** Over what `from` names, transient. */
  readonly ephemeral?: boolean
}

/** Makes a root file system and defines a container on it. Where it fails, nothing is left. */
export async function createContainer(cli: Cli, name: string, flags: CreateContainerFlags): Promise<void> {
  const connection = await cli.connection()
  if (flags.ephemeral) return startEphemeral(cli, name, flags)
  let init = ''
  const { domain, home } = await makeContainer(connection, {
    name,
    fill: async (rootfs) => {
      const found = await fill(cli, rootfs, { ...flags, name })
      init = flags.init ?? found
    },
    document: (rootfs) => containerXml(rootfs, init, { ...flags, name }),
    signal: cli.signal,
    onWarning: (message) => cli.warn(message),
  })
  await finish(cli, { domain, home }, flags)
}

/** Starts a container that was made, if so asked, and says so; where it does not start, it is removed again. */
export async function finish(
  cli: Cli,
  { domain, home }: MadeContainer,
  { start }: { readonly start?: boolean },
): Promise<void> {
  try {
    if (start) await domain.start({ signal: cli.signal })
  } catch (error) {
    await removeAgain(cli, domain.name, () => removeContainer(domain, home))
    throw error
  }
  const done = start ? 'created and started' : 'created'
  const text = `Domain '${domain.name}' ${done}; its root is ${home.rootfs}\n`
  cli.result({ json: { ...domain.ref, rootfs: home.rootfs, started: start === true }, text })
}

/** What goes wrong in it is told beside the error that led to it, not in its place. */
async function removeAgain(cli: Cli, name: string, remove: () => Promise<void>): Promise<void> {
  try {
    await remove()
  } catch (error) {
    cli.warn(`'${name}' could not be removed again: ${messageOf(error)}`)
  }
}

async function fill(cli: Cli, directory: string, options: CreateRootfsOptions): Promise<string> {
  const progress = startProgress(cli, `Making the root file system of '${options.name}'`)
  try {
    const template = options.from === undefined ? (options.template ?? 'busybox') : undefined
    return await createRootfs(directory, {
      ...options,
      template,
      signal: cli.signal,
      onProgress: progress.step,
    })
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

/** Starts a container whose changes go with it, over the root of a domain or over a directory. */
async function startEphemeral(cli: Cli, name: string, flags: CreateContainerFlags): Promise<void> {
  const { from, init = '/sbin/init' } = flags
  if (from === undefined)
    throw new VirError('INVALID_ARG', 'An ephemeral container needs something to stand on', {
      hint: 'Name a domain or a directory with --from',
    })
  const base = from.includes('/')
    ? parseDomain(containerXml(resolve(from), init, { ...flags, name }))
    : await cli.domain(from)
  const domain = await createEphemeral(await cli.connection(), base, name, cli)
  const text = `Domain '${domain.name}' created and started; what it changes goes when it ends\n`
  cli.result({ json: { ...domain.ref, started: true }, text })
}
