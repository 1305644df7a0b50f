import { access, constants, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { VirError } from '@covirt/core'
import type { DomainXml } from '@covirt/xml'
import { hostDevices } from '../config/host-devices.js'
import { defaultInit } from '../config/init.js'
import { rootFilesystem, sourceDirectory, sourcePath } from '../config/mounts.js'
import { hostLinks } from '../config/network.js'
import { type InitKind, initKind } from './init-kind.js'
import { resolveInRoot } from './resolve-in-root.js'
import { settleTree } from './swap-tree.js'

/** What a launch finds on the host of what its definition names. */
export interface FoundOnHost {
  readonly init: InitKind
  /** `MAJOR:MINOR` of the devices that the definition names, by their paths. */
  readonly devices: ReadonlyMap<string, string>
}

/**
 * Looks whether all that a definition names exists, where liblxc would say less clearly that it does not.
 * `OPERATION_FAILED` for the first thing that is missing.
 */
export async function inspectHost(document: DomainXml): Promise<FoundOnHost> {
  await settleRoot(document)
  const root = rootFilesystem(document)
  const rootDirectory = root && sourceDirectory(root)
  // All at once: each turn of the thread pool takes longer than what is looked at. The first refusal counts.
  const init = rootDirectory === undefined ? ofImage(document) : findInit(document, rootDirectory)
  init.catch(() => {})
  const devices = await findOnHost(document)
  return { init: await init, devices }
}

/**
 * `MAJOR:MINOR` of the devices that a definition names, by their paths, where all that it names exists;
 * `OPERATION_FAILED` for the first thing that is missing.
 */
export async function findOnHost(document: DomainXml): Promise<ReadonlyMap<string, string>> {
  await checkSources(document)
  for (const link of document.devices.interfaces)
    if (link.type === 'bridge') await checkBridge(link.source?.bridge ?? '', document.name)
    else if (link.type === 'direct') await checkLink(link.source?.dev ?? '', document.name)
  for (const link of hostLinks(document)) await checkLink(link, document.name)
  return findDevices(document)
}

/** Nothing is looked at inside of an image: its init is judged by what it does with signals. */
async function ofImage({ os }: DomainXml): Promise<InitKind> {
  const init = os.init ?? defaultInit
  const kind = initKind(init, init)
  return kind === 'sysvinit' ? 'unknown' : kind
}

async function findDevices(document: DomainXml): Promise<ReadonlyMap<string, string>> {
  const { devices = [] } = document.blkiotune ?? {}
  const wanted = [
    ...hostDevices(document),
    ...devices.map(({ path = '' }) => ({ kind: 'b' as const, source: path })),
  ]
  const found = new Map<string, string>()
  for (const { kind, source } of wanted) {
    const file = await stat(source).catch(() => undefined)
    const isMeant = kind === 'c' ? file?.isCharacterDevice() : file?.isBlockDevice()
    if (!file || !isMeant)
      throw missing(
        `The device ${source} of ${document.name} ${file ? `is no ${kind === 'c' ? 'character' : 'block'} device` : 'does not exist'}`,
      )
    found.set(source, deviceNumbers(file.rdev))
  }
  return found
}

/** The parts of a device's number (makedev(3)). */
function deviceNumbers(device: number): string {
  const bits = BigInt(device)
  const major = ((bits >> 8n) & 0xfffn) | ((bits >> 32n) & 0xfffff000n)
  const minor = (bits & 0xffn) | ((bits >> 12n) & 0xffffff00n)
  return `${major}:${minor}`
}

async function checkLink(name: string, domain: string): Promise<void> {
  if (!(await exists(join('/sys/class/net', name))))
    throw missing(`The network link ${name} of ${domain} does not exist`)
}

async function checkSources(document: DomainXml): Promise<void> {
  const root = rootFilesystem(document)
  const rootDirectory = root && sourceDirectory(root)
  const sources = document.devices.filesystems.flatMap((filesystem) => {
    const source = sourcePath(filesystem)
    return source === undefined ? [] : { source, target: filesystem.target }
  })
  const found = await Promise.all(sources.map(({ source }) => stat(source).catch(() => undefined)))
  for (const [index, { source, target }] of sources.entries()) {
    const file = found[index]
    if (!file) {
      const what = target === '/' ? 'root file system' : `<filesystem> on ${target}`
      throw missing(
        `The ${what} of ${document.name}, ${source}, does not exist`,
        'Make it, or correct <source dir>',
      )
    }
    if (target === '/' && source === rootDirectory && !file.isDirectory())
      throw missing(`The root file system of ${document.name}, ${source}, is not a directory`)
  }
}

/** A root file system that is missing may have been on its way back to a snapshot. */
async function settleRoot(document: DomainXml): Promise<void> {
  const root = rootFilesystem(document)
  const directory = root && sourceDirectory(root)
  if (directory !== undefined && !(await exists(directory))) await settleTree(directory)
}

async function checkBridge(bridge: string, name: string): Promise<void> {
  const link = join('/sys/class/net', bridge)
  if (await exists(join(link, 'bridge'))) return
  const isLink = await exists(link)
  throw missing(
    `The bridge ${bridge} of ${name} ${isLink ? 'is a network link, but no bridge' : 'does not exist'}`,
    isLink
      ? 'Name a bridge in <source bridge>'
      : `Make it (ip link add ${bridge} type bridge), or name another one`,
  )
}

/** Also where another `<filesystem>` may cover it, only what the root itself has is looked at. */
async function findInit(document: DomainXml, root: string): Promise<InitKind> {
  const init = document.os.init ?? defaultInit
  const covered = document.devices.filesystems.some(
    ({ target }) => target !== '/' && init.startsWith(`${target.replace(/\/+$/, '')}/`),
  )
  const resolved = await resolveInRoot(root, init)
  if (resolved === undefined) {
    if (covered) return initKind(init, init)
    throw missing(
      `The init of ${document.name}, ${init}, does not exist in ${root}`,
      'Correct <init>, or install it there',
    )
  }
  const file = join(root, resolved)
  const isProgram = (await stat(file)).isFile() && (await exists(file, constants.X_OK))
  if (!isProgram && !covered)
    throw missing(
      `The init of ${document.name}, ${init} in ${root}, is not a program`,
      'See that it is an executable file',
    )
  return initKind(init, resolved)
}

function missing(message: string, hint?: string): VirError {
  return new VirError('OPERATION_FAILED', message, { domain: 'LXC', ...(hint === undefined ? {} : { hint }) })
}

function exists(path: string, mode = constants.F_OK): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  )
}
