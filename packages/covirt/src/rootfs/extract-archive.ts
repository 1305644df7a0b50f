import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { abortError, type CallOptions, isVirError, messageOf, VirError } from '@covirt/core'
import { TarGuard } from './tar-guard.js'

/** How compressed archives begin, and the programs that expand them; gzip is Node's own. */
const compressions: readonly { readonly magic: string; readonly program: string }[] = [
  { magic: 'fd377a585a00', program: 'xz' },
  { magic: '28b52ffd', program: 'zstd' },
  { magic: '425a68', program: 'bzip2' },
]
const gzipMagic = '1f8b'

/** Attributes that mean the same wherever they are: not those by which overlays and labels work. */
const attributes = ['user.*', 'security.capability']
const tailBytes = 4096

/**
 * Extracts a tar archive (plain, or compressed with gzip, xz, zstd or bzip2) into an empty directory, with owners by
 * number, modes, times, hard links and attributes. What it holds is checked first, entry by entry (see
 * {@link TarGuard}). Needs tar(1) and root. On rejection part of it may be there.
 */
export async function extractArchive(
  file: string,
  directory: string,
  { signal }: CallOptions = {},
): Promise<void> {
  const flags = [
    ...['--extract', '--file=-', `--directory=${directory}`, '--numeric-owner', '--same-owner'],
    ...['--preserve-permissions', '--delay-directory-restore', '--xattrs'],
    ...attributes.map((attribute) => `--xattrs-include=${attribute}`),
  ]
  const source = await openArchive(file)
  const tar = spawn('tar', flags, {
    stdio: ['pipe', 'ignore', 'pipe'],
    env: { ...process.env, LC_ALL: 'C', TAR_OPTIONS: '' },
  })
  const tarEnd = endOf('tar', tar)
  try {
    await pipeline([...source.stages, new TarGuard(), tar.stdin], { signal })
    await Promise.all([tarEnd, source.end])
  } catch (cause) {
    tar.kill('SIGKILL')
    source.stop()
    const ends = await Promise.allSettled([tarEnd, source.end])
    if (signal?.aborted) throw abortError(signal)
    if (isVirError(cause)) throw cause
    // A program that gives up breaks the pipe, which says less than the program does.
    const failed = ends.find((end) => end.status === 'rejected' && !(end.reason instanceof Killed))
    const reason: unknown = failed?.status === 'rejected' ? failed.reason : cause
    throw new VirError('OPERATION_FAILED', `Cannot extract ${file}: ${messageOf(reason)}`, { cause })
  }
}

interface ArchiveSource {
  /** What the archive comes out of, expanded. */
  readonly stages: readonly (Readable | Transform)[]
  readonly end: Promise<void>
  stop(): void
}

async function openArchive(file: string): Promise<ArchiveSource> {
  const start = await beginningOf(file)
  const found = compressions.find(({ magic }) => start.startsWith(magic))
  if (!found) {
    const plain = createReadStream(file)
    const stages = start.startsWith(gzipMagic) ? [plain, createGunzip()] : [plain]
    return { stages, end: Promise.resolve(), stop: () => {} }
  }
  const input = await open(file)
  try {
    const child = spawn(found.program, ['--decompress', '--stdout'], { stdio: [input.fd, 'pipe', 'pipe'] })
    const end = endOf(found.program, child)
    return { stages: child.stdout ? [child.stdout] : [], end, stop: () => void child.kill('SIGKILL') }
  } finally {
    await input.close()
  }
}

async function beginningOf(file: string): Promise<string> {
  const handle = await open(file).catch((cause: unknown) => {
    throw new VirError('OPERATION_FAILED', `Cannot read ${file}: ${messageOf(cause)}`, { cause })
  })
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(6), 0, 6, 0)
    return buffer.toString('hex', 0, bytesRead)
  } finally {
    await handle.close()
  }
}

/** Ended from here. */
class Killed extends Error {}

/** Resolves when a program has ended well and all it wrote has been read; rejects with what it complained about. */
function endOf(program: string, child: ChildProcess): Promise<void> {
  const end = watchEnd(program, child)
  end.catch(() => {})
  return end
}

async function watchEnd(program: string, child: ChildProcess): Promise<void> {
  let complaint = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    complaint = `${complaint}${chunk}`.slice(-tailBytes)
  })
  const [status, signal] = (await once(child, 'close').catch((cause: NodeJS.ErrnoException) => {
    throw cause.code === 'ENOENT' ? new Error(`${program} is not installed`) : cause
  })) as [number | null, string | null]
  if (status === 0) return
  const reason = complaint
    .trim()
    .split('\n')[0]
    ?.replace(new RegExp(`^${program}: `), '')
  throw signal === 'SIGKILL' ? new Killed(signal) : new Error(reason || `${program} did not say why`)
}
