import { Readable } from 'node:stream'
import { type CallOptions, checkGuestPath, type DomainRef, type FilesRole, VirError } from '@covirt/core'
import type { FoundDomain, GuestAccess } from '@covirt/local'
import type { DomainXml } from '@covirt/xml'
import { rootFilesystem, sourceDirectory } from './config/mounts.js'
import { toVirError } from './lxc-errors.js'
import {
  type Container,
  type FilePlace,
  LxcError,
  listDirectory,
  makeDirectory,
  readFile,
  removeFile,
  statFile,
  writeFile,
} from './native.js'

/** The role `files` of containers. */
export function containerFiles(
  access: GuestAccess,
  containerOf: (found: FoundDomain) => Promise<Container>,
): FilesRole {
  const at = <T>(
    domain: DomainRef,
    options: CallOptions | undefined,
    path: string,
    act: (place: FilePlace) => Promise<T>,
  ) =>
    access.look(domain, options, async (found) => {
      checkGuestPath(path, options)
      try {
        return await act(placeOf(found, await containerOf(found)))
      } catch (error) {
        throw refusal(error, domain, options?.signal)
      }
    })
  return {
    readFile: (domain, path, options = {}) => {
      const { offsetBytes = 0, lengthBytes = -1, signal } = options
      const toError = (error: unknown) => refusal(error, domain, signal)
      return at(domain, options, path, (place) =>
        readFile(place, path, { offset: offsetBytes, length: lengthBytes, toError, signal }),
      )
    },
    writeFile: (domain, path, content, options) => {
      const stream = content instanceof Readable ? content : Readable.from([Buffer.from(content)])
      return at(domain, options, path, (place) => writeFile(place, path, stream, options))
    },
    statFile: (domain, path, options = {}) =>
      at(domain, options, path, (place) =>
        statFile(place, path, { follow: !options.noFollow, signal: options.signal }),
      ),
    listDirectory: (domain, path, options) =>
      at(domain, options, path, (place) => listDirectory(place, path, options)),
    makeDirectory: (domain, path, options = {}) =>
      at(domain, options, path, (place) =>
        makeDirectory(place, path, { ...options, parents: options.parents ?? false }),
      ),
    removeFile: (domain, path, { recursive = false, signal } = {}) =>
      at(domain, { signal }, path, (place) => removeFile(place, path, { recursive, signal })),
  }
}

function placeOf({ domain, document, guest }: FoundDomain, container: Container): FilePlace {
  if (guest) return { container }
  const filesystem = rootFilesystem(document)
  // A template is others' too, and without the changes of this one.
  const root = filesystem && filesystem.type !== 'template' ? sourceDirectory(filesystem) : undefined
  if (root !== undefined) return { container, root, idmap: idmapOf(document) }
  throw new VirError(
    'OPERATION_INVALID',
    `The root file system of '${domain.name}' is no directory of its own`,
    {
      domain: 'LXC',
      hint: 'Its files can be reached while it runs',
    },
  )
}

/** Files of a container with `<idmap>` are on disk what that maps them to. */
function idmapOf(document: DomainXml): FilePlace['idmap'] {
  const { idmap } = document
  if (!idmap || rootFilesystem(document)?.accessMode === 'mapped') return undefined
  const ranges = (all: typeof idmap.uids) =>
    all.map(({ start, target, count }) => ({ first: start, onDisk: target, count }))
  return { uids: ranges(idmap.uids), gids: ranges(idmap.gids) }
}

/** What the system refuses is told as it is; that the container has ended meanwhile is another matter. */
function refusal(error: unknown, { name }: DomainRef, signal: AbortSignal | undefined): unknown {
  if (!(error instanceof LxcError) && !signal?.aborted) return error
  if (signal?.aborted || !(error instanceof LxcError) || error.code === undefined || error.code === 'ESRCH')
    return toVirError(error, `Reaching the files of ${name}`, signal)
  return new VirError('OPERATION_FAILED', error.message.replace(/^.*? failed: /, ''), {
    domain: 'LXC',
    cause: error,
  })
}
