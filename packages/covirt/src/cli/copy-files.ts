import { createReadStream, createWriteStream } from 'node:fs'
import { chmod, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, join, posix } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { type Domain, isVirError, throwIfAborted, VirError } from '@covirt/core'
import type { Cli } from './cli.js'

/** A place that is copied from or to: a path of the host, or of a guest. */
export type CopyPlace =
  | { readonly kind: 'host'; readonly path: string }
  | { readonly kind: 'guest'; readonly domain: string; readonly path: string }

/** Reads `PATH` or `DOMAIN:PATH`; what has a slash before its first colon is of the host. */
export function parseCopyPlace(text: string): CopyPlace {
  const at = text.indexOf(':')
  if (at < 1 || text.slice(0, at).includes('/')) return { kind: 'host', path: text }
  const path = text.slice(at + 1)
  return {
    ...{ kind: 'guest', domain: text.slice(0, at) },
    path: path.startsWith('/') ? path : `/root/${path}`,
  }
}

/** Copies a file, or with `recursive` a tree, between the host and a guest, as `cp` does: into a directory that is there. */
export async function copyFiles(
  cli: Cli,
  from: CopyPlace,
  to: CopyPlace,
  { recursive }: { readonly recursive: boolean },
): Promise<number> {
  if (from.kind === to.kind) {
    throw new VirError('INVALID_ARG', 'One of the two is of a guest, and the other of this host', {
      hint: 'For example: covirt cp site.conf web:/etc/site.conf',
    })
  }
  const { signal } = cli
  if (from.kind === 'host' && to.kind === 'guest') {
    const domain = await cli.domain(to.domain)
    const target = (await isGuestDirectory(domain, to.path, signal))
      ? posix.join(to.path, basename(from.path))
      : to.path
    return intoGuest(domain, from.path, target, { recursive, signal })
  }
  const domain = await cli.domain((from as Extract<CopyPlace, { kind: 'guest' }>).domain)
  const isDirectory = (await stat(to.path).catch(() => undefined))?.isDirectory() === true
  const target = isDirectory ? join(to.path, posix.basename(from.path)) : to.path
  return fromGuest(domain, from.path, target, { recursive, signal })
}

interface CopyOptions {
  readonly recursive: boolean
  readonly signal: AbortSignal
}

async function intoGuest(domain: Domain, from: string, to: string, options: CopyOptions): Promise<number> {
  const { recursive, signal } = options
  throwIfAborted(signal)
  const source = await stat(from)
  const mode = source.mode & 0o777
  if (!source.isDirectory()) {
    requireFile(source.isFile(), from)
    await domain.writeFile(to, createReadStream(from), { mode, signal })
    return 1
  }
  if (!recursive) throw isDirectory(from)
  await domain.makeDirectory(to, { mode, signal, parents: true })
  let count = 0
  for (const name of await readdir(from))
    count += await intoGuest(domain, join(from, name), posix.join(to, name), options)
  return count
}

async function fromGuest(domain: Domain, from: string, to: string, options: CopyOptions): Promise<number> {
  const { recursive, signal } = options
  throwIfAborted(signal)
  const source = await domain.statFile(from, { signal })
  // Bits that make a file of the guest's root one of ours are not wanted here.
  const mode = source.mode & 0o777
  if (source.type !== 'directory') {
    requireFile(source.type === 'file', from)
    await replaceFile(to, mode, async (unfinished) => {
      const content = await domain.readFile(from, { signal })
      await pipeline(content, createWriteStream(unfinished, { flags: 'r+' }), { signal })
    })
    return 1
  }
  if (!recursive) throw isDirectory(from)
  await mkdir(to, { recursive: true })
  let count = 0
  for (const { name, type } of await domain.listDirectory(from, { signal })) {
    if (type !== 'file' && type !== 'directory') continue
    count += await fromGuest(domain, posix.join(from, name), join(to, checkedName(name)), options)
  }
  return count
}

async function replaceFile(
  path: string,
  mode: number,
  fill: (unfinished: string) => Promise<void>,
): Promise<void> {
  const unfinished = `${path}.${process.pid}.new`
  try {
    // Made by us alone: a link of that name is not followed.
    await (await open(unfinished, 'wx', 0o600)).close()
    await fill(unfinished)
    await chmod(unfinished, mode)
    await rename(unfinished, path)
  } catch (error) {
    await rm(unfinished, { force: true })
    throw error
  }
}

async function isGuestDirectory(domain: Domain, path: string, signal: AbortSignal): Promise<boolean> {
  try {
    return (await domain.statFile(path, { signal })).type === 'directory'
  } catch (error) {
    if (isVirError(error, 'OPERATION_FAILED')) return path.endsWith('/')
    throw error
  }
}

/** A guest says what its files are called. */
function checkedName(name: string): string {
  if (name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name)) return name
  throw new VirError('OPERATION_FAILED', `'${name}' is no name of a file`)
}

function requireFile(isFile: boolean, path: string): void {
  if (!isFile) throw new VirError('OPERATION_FAILED', `'${path}' is no file`)
}

function isDirectory(path: string): VirError {
  return new VirError('OPERATION_FAILED', `'${path}' is a directory`, { hint: 'Copy it with --recursive' })
}
