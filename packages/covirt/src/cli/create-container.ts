import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, parseConnectUri, VirError } from '@covirt/core'
import { resolveRoot } from '@covirt/local'
import { formatDomain } from '@covirt/xml'
import { type CreateRootfsOptions, createRootfs, type RootfsTemplate } from '../create-rootfs.js'
import type { Cli } from './cli.js'
import { startProgress } from './progress.js'

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
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name)) {
    throw new VirError('INVALID_ARG', `'${name}' is no name for a container`, {
      hint: 'It becomes a hostname: letters, digits, dots and dashes, 63 characters at the most',
    })
  }
  const { domains, uri } = await cli.connection()
  const home = await makeHome(uri, name)
  try {
    const rootfs = join(home, 'rootfs')
    await mkdir(rootfs, { mode: 0o755 })
    const init = await fill(cli, rootfs, { ...flags, name })
    const domain = await domains.define(containerXml(name, rootfs, init, flags), { signal: cli.signal })
    try {
      if (flags.start) await domain.start({ signal: cli.signal })
    } catch (error) {
      await domain.undefine()
      throw error
    }
    const done = flags.start ? 'created and started' : 'created'
    const text = `Domain '${name}' ${done}; its root is ${rootfs}\n`
    cli.result({ json: { ...domain.ref, rootfs, started: flags.start === true }, text })
  } catch (error) {
    await rm(home, { recursive: true, force: true })
    throw error
  }
}

async function fill(cli: Cli, directory: string, options: CreateRootfsOptions): Promise<string> {
  const progress = startProgress(cli, `Making the root file system of '${options.name}'`)
  try {
    return await createRootfs(directory, { ...options, signal: cli.signal, onProgress: progress.step })
  } finally {
    progress.end()
  }
}

/** The directory of this container, below the state directory of the root that the connection works on. */
async function makeHome(uri: string, name: string): Promise<string> {
  const parsed = parseConnectUri(uri)
  if (parsed.scheme !== 'covirt' && parsed.scheme !== 'lxc') {
    throw new VirError('INVALID_ARG', `Containers cannot be made through ${uri}`, {
      hint: 'Use -c covirt:///system or -c lxc:///system',
    })
  }
  const parent = join(resolveRoot(parsed).stateDirectory, 'containers')
  const home = join(parent, name)
  try {
    await mkdir(parent, { recursive: true, mode: 0o711 })
    await mkdir(home, { mode: 0o711 })
    return home
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') {
      throw new VirError('OPERATION_INVALID', `${home} exists already`, {
        hint: `Choose another name, or remove it if 'covirt list --all' shows no '${name}'`,
      })
    }
    throw new VirError('OPERATION_FAILED', `Cannot make ${home}: ${messageOf(cause)}`, { cause })
  }
}

function containerXml(name: string, rootfs: string, init: string, flags: CreateContainerFlags): string {
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
