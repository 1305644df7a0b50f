import { Transform, type TransformCallback } from 'node:stream'
import { VirError } from '@covirt/core'
import { GuardedTree } from './guarded-tree.js'
import { type Extensions, longName, paxRecords } from './tar-extensions.js'
import { readHeader, type TarHeader, tarBlockBytes } from './tar-header.js'

/** What an extended header may hold: long names and extended attributes. */
const extensionLimitBytes = 1 << 20

type Phase =
  | { readonly kind: 'header' }
  /** Content that goes along or is dropped with its entry. */
  | { readonly kind: 'content'; left: number; readonly pass: boolean }
  /** Content of an extended header, which belongs to the entry after it. */
  | { readonly kind: 'extension'; left: number; readonly header: TarHeader; readonly parts: Buffer[] }
  | { readonly kind: 'end' }

/**
 * Lets a tar archive (ustar, with the extensions of pax(1) and GNU tar) through as far as it holds nothing that could
 * reach out of the directory it is extracted in: `OPERATION_FAILED`, naming the entry, before a byte of one that does.
 * Refused are absolute names, `..`, entries that lie behind a link of the archive, hard links to such places, devices,
 * and kinds of entries that this does not know. The devices of every system (`/dev/null` and its like) are left out, as
 * containers get them otherwise.
 */
export class TarGuard extends Transform {
  readonly #tree = new GuardedTree()
  #pending: Buffer = Buffer.alloc(0)
  #phase: Phase = { kind: 'header' }
  /** Extended headers, as they are, until it is known whether their entry goes along. */
  #held: Buffer[] = []
  #extensions: Extensions = {}
  /** The types of these headers. */
  readonly #kinds = new Set<string>()
  #entries = 0

  /** How many entries have gone along. */
  get entries(): number {
    return this.#entries
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      this.#pending = this.#pending.length > 0 ? Buffer.concat([this.#pending, chunk]) : chunk
      while (this.#step());
      done()
    } catch (error) {
      done(error as Error)
    }
  }

  override _flush(done: TransformCallback): void {
    const isWhole =
      this.#phase.kind === 'end' || (this.#phase.kind === 'header' && this.#pending.length === 0)
    done(isWhole && this.#entries > 0 ? null : broken('it ends in the middle, or holds nothing'))
  }

  /** Deals with what there is; false where more is needed. */
  #step(): boolean {
    const phase = this.#phase
    switch (phase.kind) {
      case 'end':
        this.#take(this.#pending.length)
        return false
      case 'header': {
        if (this.#pending.length < tarBlockBytes) return false
        this.#header(this.#take(tarBlockBytes))
        return true
      }
      case 'content': {
        if (phase.left > 0 && this.#pending.length === 0) return false
        const part = this.#take(Math.min(phase.left, this.#pending.length))
        if (phase.pass && part.length > 0) this.push(part)
        phase.left -= part.length
        if (phase.left === 0) this.#phase = { kind: 'header' }
        return true
      }
      case 'extension': {
        if (phase.left > 0 && this.#pending.length === 0) return false
        const part = this.#take(Math.min(phase.left, this.#pending.length))
        phase.parts.push(part)
        phase.left -= part.length
        if (phase.left === 0) this.#extension(phase.header, Buffer.concat(phase.parts))
        return true
      }
    }
  }

  #take(bytes: number): Buffer {
    const taken = this.#pending.subarray(0, bytes)
    this.#pending = this.#pending.subarray(bytes)
    return taken
  }

  #header(block: Buffer): void {
    if (block.every((byte) => byte === 0)) {
      this.push(Buffer.alloc(2 * tarBlockBytes))
      this.#phase = { kind: 'end' }
      return
    }
    const header = readHeader(block)
    if ('xgLK'.includes(header.type)) {
      if (header.size > extensionLimitBytes) throw broken('an extended header is too long')
      // Of two for one entry some programs forget the first.
      if (header.type !== 'g' && this.#kinds.has(header.type)) throw broken('a header is said twice')
      this.#kinds.add(header.type)
      this.#held.push(block)
      this.#phase = { kind: 'extension', left: padded(header.size), header, parts: [] }
      return
    }
    this.#entry(block, header)
  }

  #extension(header: TarHeader, content: Buffer): void {
    const text = content.subarray(0, header.size)
    this.#phase = { kind: 'header' }
    if (header.type === 'g') {
      // Valid for all that follows, which no archive of files needs.
      if (Object.keys(paxRecords(text)).length > 0) throw broken('a global header names files')
      this.#held.pop()
      return
    }
    this.#held.push(content)
    const found = header.type === 'x' ? paxRecords(text) : longName(header.type, text)
    // Programs differ in which of them counts.
    if (Object.keys(found).some((key) => key in this.#extensions)) throw broken('a name is said twice')
    this.#extensions = { ...this.#extensions, ...found }
  }

  #entry(block: Buffer, header: TarHeader): void {
    const { path = header.path, link = header.link, size = header.size } = this.#extensions
    const pass = this.#tree.admit({ ...header, path, link, size })
    if (pass) {
      for (const held of [...this.#held, block]) this.push(held)
      this.#entries += 1
    }
    this.#held = []
    this.#extensions = {}
    this.#kinds.clear()
    this.#phase = { kind: 'content', left: padded(size), pass }
  }
}

function padded(bytes: number): number {
  return Math.ceil(bytes / tarBlockBytes) * tarBlockBytes
}

function broken(why: string): VirError {
  return new VirError('OPERATION_FAILED', `The archive is damaged or no tar archive: ${why}`)
}
