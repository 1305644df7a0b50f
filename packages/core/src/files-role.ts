import type { Readable } from 'node:stream'
import type { CallOptions } from './abort.js'
import type { DomainRef } from './domain.js'

/** What a name in a directory can be. */
export const fileTypes = ['file', 'directory', 'link', 'fifo', 'socket', 'char', 'block'] as const

/** One of {@link fileTypes}. */
export type FileType = (typeof fileTypes)[number]

/** What is known of a file (stat(2)). */
export interface FileInfo {
  readonly type: FileType
  /** The permissions, up to `0o7777`. */
  readonly mode: number
  /** As the guest counts users. */
  readonly uid: number
  /** As the guest counts groups. */
  readonly gid: number
  /** 0 for what has no size. */
  readonly sizeBytes: number
  /** When its content was changed last, in milliseconds since 1970. */
  readonly modifiedMs: number
  /** Where a link leads, as it is written there. */
  readonly target?: string | undefined
}

/** One name in a directory. */
export interface FileEntry extends FileInfo {
  readonly name: string
}

/** Which part of a file is read. */
export interface ReadFileOptions extends CallOptions {
  /** Default 0. */
  readonly offsetBytes?: number | undefined
  /** Default: all that there is. */
  readonly lengthBytes?: number | undefined
}

/** Whose a new file or directory is. */
export interface OwnershipOptions extends CallOptions {
  /** Default: that of what is replaced, else `0o644` for a file and `0o755` for a directory; whatever the umask. */
  readonly mode?: number | undefined
  /** As the guest counts users. Default: that of what is replaced, else 0. */
  readonly uid?: number | undefined
  readonly gid?: number | undefined
}

/** How a directory is made. */
export interface MakeDirectoryOptions extends OwnershipOptions {
  /** Make those above it, too, and be content where it is there already. */
  readonly parents?: boolean | undefined
}

/** How a file is looked at. */
export interface StatFileOptions extends CallOptions {
  /** Tell of a link itself, not of where it leads. */
  readonly noFollow?: boolean | undefined
}

/** How something is removed. */
export interface RemoveFileOptions extends CallOptions {
  /** Remove a directory with all that is in it, but for what else is mounted there: `OPERATION_FAILED` then. */
  readonly recursive?: boolean | undefined
}

/**
 * Role: the files of guests, without their cooperation.
 *
 * Paths are absolute, as a process of the guest sees them: while the guest runs, in what it has mounted, and while it
 * is off, in its root file system. Links are followed as in the guest; none of them, and no `..`, leads out of its root.
 * Nothing is done that the guest's own root could not do. Only files are read and written, never devices, FIFOs or
 * sockets: `OPERATION_FAILED`, as for whatever the system refuses; its error, with its `code` (`ENOENT`), is
 * the cause. `INVALID_ARG` for what is no path, and for numbers that no file can have.
 */
export interface FilesRole {
  /** The bytes of a file; resolves once that is open. Destroying the stream closes it. */
  readFile(domain: DomainRef, path: string, options?: ReadFileOptions): Promise<Readable>
  /**
   * Makes a file of this content, or replaces one as a whole: who reads it meanwhile sees the old one or the new one.
   * On rejection nothing has changed.
   */
  writeFile(
    domain: DomainRef,
    path: string,
    content: string | Uint8Array | Readable,
    options?: OwnershipOptions,
  ): Promise<void>
  statFile(domain: DomainRef, path: string, options?: StatFileOptions): Promise<FileInfo>
  /**
   * What is in a directory, in no particular order, without `.` and `..`; links are not followed. `OPERATION_FAILED`
   * for more than 65,536 names.
   */
  listDirectory(domain: DomainRef, path: string, options?: CallOptions): Promise<readonly FileEntry[]>
  makeDirectory(domain: DomainRef, path: string, options?: MakeDirectoryOptions): Promise<void>
  /** Removes a file, a link itself, or an empty directory. */
  removeFile(domain: DomainRef, path: string, options?: RemoveFileOptions): Promise<void>
}
