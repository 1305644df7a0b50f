import { posix } from 'node:path'
import { Readable } from 'node:stream'
import {
  abortable,
  abortError,
  type Clock,
  type FileEntry,
  type FileInfo,
  type MakeDirectoryOptions,
  type OwnershipOptions,
  type ReadFileOptions,
  VirError,
} from '@covirt/core'

/** The directories that each simulated guest begins with. */
export const firstDirectories: readonly string[] = ['/', '/etc', '/root', '/tmp']

interface File {
  readonly info: FileInfo
  readonly content: Buffer
}

/** The files of one simulated domain, which has no links. */
export class TestFiles {
  readonly #clock: Clock
  readonly #files = new Map<string, File>()

  constructor(clock: Clock) {
    this.#clock = clock
    for (const path of firstDirectories) this.#put(path, 'directory', {})
  }

  read(path: string, { offsetBytes = 0, lengthBytes = Infinity }: ReadFileOptions): Readable {
    const { info, content } = this.#get(path)
    if (info.type === 'directory') throw failure('EISDIR', path)
    return Readable.from(chunks(content.subarray(offsetBytes, offsetBytes + lengthBytes)))
  }

  async write(
    path: string,
    content: string | Uint8Array | Readable,
    { signal, ...ownership }: OwnershipOptions,
  ): Promise<void> {
    this.#get(posix.dirname(path))
    const before = this.#files.get(normal(path))?.info
    if (before?.type === 'directory') throw failure('EISDIR', path)
    const bytes =
      content instanceof Readable ? await abortable(collect(content), signal) : Buffer.from(content)
    if (signal?.aborted) throw abortError(signal)
    this.#put(path, 'file', { mode: 0o644, ...before, ...defined(ownership) }, bytes)
  }

  stat(path: string): FileInfo {
    return this.#get(path).info
  }

  list(path: string): readonly FileEntry[] {
    const directory = normal(path)
    if (this.#get(path).info.type !== 'directory') throw failure('ENOTDIR', path)
    return [...this.#files]
      .filter(([each]) => each !== '/' && posix.dirname(each) === directory)
      .map(([each, { info }]) => ({ name: posix.basename(each), ...info }))
  }

  makeDirectory(path: string, { parents, signal: _, ...ownership }: MakeDirectoryOptions): void {
    const existing = this.#files.get(normal(path))
    if (existing && parents && existing.info.type === 'directory') return
    if (existing) throw failure('EEXIST', path)
    const above = posix.dirname(normal(path))
    if (parents) this.makeDirectory(above, { parents })
    if (this.#get(above).info.type !== 'directory') throw failure('ENOTDIR', path)
    this.#put(path, 'directory', defined(ownership))
  }

  remove(path: string, recursive: boolean): void {
    const name = normal(path)
    if (this.#get(path).info.type === 'directory' && this.list(path).length > 0 && !recursive)
      throw failure('ENOTEMPTY', path)
    for (const each of [...this.#files.keys()])
      if (each === name || each.startsWith(`${name}/`)) this.#files.delete(each)
  }

  #get(path: string): File {
    const file = this.#files.get(normal(path))
    if (file) return file
    throw failure('ENOENT', path)
  }

  #put(
    path: string,
    type: 'file' | 'directory',
    ownership: Partial<FileInfo>,
    content: Buffer = Buffer.alloc(0),
  ): void {
    const { mode = 0o755, uid = 0, gid = 0 } = ownership
    const info = { type, mode, uid, gid, sizeBytes: content.length, modifiedMs: this.#clock.now() }
    this.#files.set(normal(path), { info, content })
  }
}

function normal(path: string): string {
  return posix.normalize(path).replace(/(.)\/$/, '$1')
}

function defined(ownership: Pick<OwnershipOptions, 'mode' | 'uid' | 'gid'>): Partial<FileInfo> {
  return Object.fromEntries(Object.entries(ownership).filter(([, value]) => value !== undefined))
}

function* chunks(content: Buffer): Iterable<Buffer> {
  for (let at = 0; at < content.length; at += 65_536) yield content.subarray(at, at + 65_536)
}

async function collect(stream: Readable): Promise<Buffer> {
  const all: Buffer[] = []
  for await (const chunk of stream) all.push(Buffer.from(chunk))
  return Buffer.concat(all)
}

function failure(code: string, path: string): VirError {
  const cause = Object.assign(new Error(`${code}: ${path}`), { code })
  return new VirError('OPERATION_FAILED', `${path}: ${code}`, { domain: 'TEST', cause })
}
