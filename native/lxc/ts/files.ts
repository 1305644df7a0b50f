import type { Socket } from 'node:net'
import { type Readable, Transform } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import type { Container, Options } from './container.js'
import { toLxcError } from './lxc-error.js'
import { parseErrorLine, programArguments, toError, unexpectedEnd } from './program.js'
import { spawnInside } from './spawned-program.js'

/** Whose files are meant: those that a running container sees, or those in the root directory of one that is off. */
export interface FilePlace {
  readonly container: Container
  /** Of one that is off. */
  readonly root?: string | undefined
  /** Of one that is off and whose files are owned by other numbers on disk; by default they are the same. */
  readonly idmap?: { readonly uids: readonly IdRange[]; readonly gids: readonly IdRange[] } | undefined
}

interface IdRange {
  /** In the container. */
  readonly first: number
  readonly onDisk: number
  readonly count: number
}

/** What is known of a file. */
export interface ContainerFile {
  readonly type: 'file' | 'directory' | 'link' | 'fifo' | 'socket' | 'char' | 'block'
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly sizeBytes: number
  readonly modifiedMs: number
  readonly target?: string
}

/** Whose a new file is. */
export interface Ownership extends Options {
  readonly mode?: number | undefined
  readonly uid?: number | undefined
  readonly gid?: number | undefined
}

/**
 * What is known of a file. Errors of all functions here carry the system's code. Paths never lead out of the root of
 * the container, whatever its links say and whoever changes them meanwhile.
 */
export async function statFile(
  place: FilePlace,
  path: string,
  { follow, signal }: Options & { readonly follow: boolean },
): Promise<ContainerFile> {
  const operation = new FileOperation(place, ['stat', path, follow ? '1' : '0'], signal)
  await operation.done
  return JSON.parse(operation.lines.find((line) => line.startsWith('{"type":')) ?? '') as ContainerFile
}

/** What is in a directory, at most 65,536 names; `EOVERFLOW` beyond. */
export async function listDirectory(
  place: FilePlace,
  path: string,
  { signal }: Options = {},
): Promise<(ContainerFile & { readonly name: string })[]> {
  const operation = new FileOperation(place, ['list', path], signal)
  const [lines] = await Promise.all([text(operation.output), operation.done])
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ContainerFile & { readonly name: string })
}

/** Which part of a file is read. */
interface FilePart extends Options {
  readonly offset: number
  /** -1: all. */
  readonly length: number
  /** What the stream fails with, for what has gone wrong. */
  readonly toError: (error: unknown) => unknown
}

/** The bytes of a file; resolves once it is open. */
export async function readFile(
  place: FilePlace,
  path: string,
  { offset, length, toError, signal }: FilePart,
): Promise<Readable> {
  const operation = new FileOperation(place, ['read', path, String(offset), String(length)], signal)
  await operation.open
  // What ends before it is done has been cut short.
  const whole = new Transform({
    transform: (chunk: Buffer, _encoding, done) => done(null, chunk),
    flush: (done) =>
      void operation.done.then(
        () => done(),
        (error) => done(toError(error) as Error),
      ),
  })
  pipeline(operation.output, whole).catch(() => {})
  return whole
}

/** Makes or replaces a file, as a whole or not at all. */
export async function writeFile(
  place: FilePlace,
  path: string,
  content: Readable,
  { mode, uid, gid, signal }: Ownership = {},
): Promise<void> {
  const operation = new FileOperation(place, ['write', path, ...numbers(mode, uid, gid)], signal)
  await operation.open
  let mistake: unknown
  try {
    await pipeline(content, operation.input, signal ? { signal } : {})
    operation.commit()
  } catch (error) {
    mistake = error
    operation.abandon()
  }
  try {
    await operation.done
  } catch (error) {
    // What the program found wrong comes before what came of it here, unless it was told to stop.
    const isOurs = mistake !== undefined && (error as { code?: unknown }).code === 'ECANCELED'
    throw isOurs ? mistake : error
  }
}

/** Makes a directory; with `parents` those above, too. */
export async function makeDirectory(
  place: FilePlace,
  path: string,
  { parents, mode, uid, gid, signal }: Ownership & { readonly parents: boolean },
): Promise<void> {
  const words = ['mkdir', path, parents ? '1' : '0', ...numbers(mode, uid, gid)]
  await new FileOperation(place, words, signal).done
}

/** Removes a file or an empty directory; with `recursive`, one with all that is in it. */
export async function removeFile(
  place: FilePlace,
  path: string,
  { recursive, signal }: Options & { readonly recursive: boolean },
): Promise<void> {
  await new FileOperation(place, ['remove', path, recursive ? '1' : '0'], signal).done
}

function numbers(...values: readonly (number | undefined)[]): string[] {
  return values.map((value) => String(value ?? -1))
}

/** One run of `covirt-lxc files`. Aborting ends it, and undoes a write. */
class FileOperation {
  readonly input: Socket
  readonly output: Socket
  /** What it has said of its result. */
  readonly lines: string[] = []
  readonly open: Promise<void>
  readonly done: Promise<void>
  readonly #control: Socket

  constructor(place: FilePlace, words: readonly string[], signal: AbortSignal | undefined) {
    signal?.throwIfAborted()
    const { stdio, exited, kill } = spawnInside(programWords(place, words), ['read', 'write', 'null', 'both'])
    const [input, output, , control] = stdio as [Socket, Socket, undefined, Socket]
    // It may end before it has read all.
    for (const stream of [input, output, control]) stream.on('error', () => {})
    this.input = input
    this.output = output
    this.#control = control
    const isWrite = words[0] === 'write'
    const onAbort = () => (isWrite ? this.abandon() : kill(9))
    signal?.addEventListener('abort', onAbort, { once: true })
    let setOpen = () => {}
    const opened = new Promise<void>((resolve) => {
      setOpen = resolve
    })
    this.done = this.#listen(place, setOpen, exited).then(
      () => signal?.removeEventListener('abort', onAbort),
      (error: unknown) => {
        signal?.removeEventListener('abort', onAbort)
        throw signal?.aborted ? signal.reason : toLxcError(error, 'files', place.container.name)
      },
    )
    this.done.catch(() => {})
    this.open = Promise.race([opened, this.done])
    this.open.catch(() => {})
  }

  /** The input is complete. */
  commit(): void {
    this.#control.write('commit\n')
  }

  /** The input will not be completed. */
  abandon(): void {
    this.#control.end()
    this.input.destroy()
  }

  async #listen({ container }: FilePlace, setOpen: () => void, exited: Promise<unknown>): Promise<void> {
    let rest = ''
    let isDone = false
    let failure: unknown
    this.#control.setEncoding('utf8')
    this.#control.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        const mistake = parseErrorLine(line)
        if (mistake) failure = toError(mistake)
        else if (line === '{"open":true}') setOpen()
        else if (line === '{"done":true}') isDone = true
        else this.lines.push(line)
      }
    })
    await Promise.all([exited, new Promise((resolve) => this.#control.once('close', resolve))])
    this.input.destroy()
    if (failure !== undefined) throw failure
    if (!isDone) throw unexpectedEnd('files', container)
  }
}

function programWords({ container, root, idmap }: FilePlace, words: readonly string[]): string[] {
  const map = (ranges: readonly IdRange[]) =>
    ranges.map(({ first, onDisk, count }) => `${first}:${onDisk}:${count}`).join(',')
  return [
    ...programArguments('files', container),
    ...['--control-fd', '3'],
    ...(root === undefined ? [] : ['--root', root]),
    ...(idmap === undefined ? [] : ['--uid-map', map(idmap.uids), '--gid-map', map(idmap.gids)]),
    ...['--', ...words],
  ]
}
