import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { messageOf, VirError } from '@covirt/core'
import { mountPointsIn, refuseGuessedFormats } from '@covirt/local'
import type { DomainXml } from '@covirt/xml'
import { sourcePath } from '../config/mounts.js'
import { watchPidfd } from '../native.js'
import { findProcesses } from './processes.js'

/** Shows an image of any format as a raw file (qemu-storage-daemon(1)), through FUSE. */
const program = 'qemu-storage-daemon'
const sigterm = 15
const sigkill = 9
/** How long the program may take to write what it holds, and a container's last writes to come there. */
const patienceMs = 30_000
const stepMs = 5

/** The qcow2 images of a definition, by what shows each as a raw file in `directory`. */
export function exportedImages(document: DomainXml, directory: string): ReadonlyMap<string, string> {
  const images = new Map<string, string>()
  for (const [index, filesystem] of document.devices.filesystems.entries()) {
    const path = sourcePath(filesystem)
    if (filesystem.type === 'file' && filesystem.driver?.format === 'qcow2' && path !== undefined)
      images.set(path, join(directory, `${index}.raw`))
  }
  return images
}

/**
 * Shows the qcow2 images of a definition as raw files in `directory`, each by a process that outlives this one. On
 * rejection some may be there: {@link endExports} ends them. `RESOURCE_BUSY` where another process has such an image.
 */
export async function exportImages(document: DomainXml, directory: string): Promise<void> {
  const readonly = new Set(
    document.devices.filesystems.filter((each) => each.readonly).map((each) => sourcePath(each)),
  )
  // What is there still is a killed guest's, and to make its files anew would be to empty the images.
  await endExports(directory)
  for (const [image, file] of exportedImages(document, directory)) {
    await refuseGuessedFormats(image)
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const real = join(await realpath(directory), basename(file))
    await writeFile(real, '', { mode: 0o600, flag: 'wx' })
    await runExport(image, real, readonly.has(image))
  }
}

/** The name of its pid file, a word of its command line, is what it is found again by. */
async function runExport(image: string, file: string, readonly: boolean): Promise<void> {
  const protocol = { driver: 'file', 'node-name': 'file', filename: image, 'read-only': readonly }
  const format = { driver: 'qcow2', 'node-name': 'image', file: 'file', 'read-only': readonly }
  const shown = { type: 'fuse', id: 'raw', 'node-name': 'image', mountpoint: file, writable: !readonly }
  const child = spawn(
    program,
    [
      ...['--daemonize', '--pidfile', pidFile(file)],
      ...['--blockdev', JSON.stringify(protocol), '--blockdev', JSON.stringify(format)],
      ...['--export', JSON.stringify(shown)],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'], env: { PATH: process.env.PATH, LC_ALL: 'C' } },
  )
  let complaint = ''
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = `${complaint}${chunk}`.slice(-4096)
  })
  try {
    const [status] = await once(child, 'exit')
    if (status === 0) return
  } catch (cause) {
    throw new VirError('OPERATION_FAILED', `${program} cannot be run: ${messageOf(cause)}`, {
      domain: 'LXC',
      hint: 'qcow2 images need it (Debian: apt install qemu-system-common)',
      cause,
    })
  } finally {
    child.stderr.destroy()
  }
  const reason =
    complaint
      .trim()
      .split('\n')
      .at(-1)
      ?.replace(/^.*?: /, '') || `${program} did not say why`
  throw new VirError(/ lock/.test(complaint) ? 'RESOURCE_BUSY' : 'OPERATION_FAILED', `${image}: ${reason}`, {
    domain: 'LXC',
  })
}

/** Ends what shows images in `directory`, once nobody uses those, with all that was written to them on the disk. */
export async function endExports(directory: string): Promise<void> {
  if (!existsSync(directory)) return
  // As the kernel names it, whatever links lead here.
  const real = await realpath(directory)
  const files = (await readdir(real)).filter((name) => name.endsWith('.raw'))
  await Promise.all(files.map((name) => endExport(join(real, name))))
  await rm(directory, { recursive: true, force: true })
}

async function endExport(file: string): Promise<void> {
  const deadline = Date.now() + patienceMs
  while ((await isLoopBacking(file)) && Date.now() < deadline) await delay(stepMs)
  const pids = await findProcesses(program, [pidFile(file)])
  await Promise.all(pids.map(endProcess))
  // One that was killed leaves a mount that leads nowhere.
  if ((await mountPointsIn(file)).length > 0)
    await once(spawn('umount', ['-l', file], { stdio: 'ignore' }), 'exit')
}

function pidFile(file: string): string {
  return file.replace(/raw$/, 'pid')
}

async function isLoopBacking(file: string): Promise<boolean> {
  const devices = (await readdir('/sys/block').catch(() => [])).filter((name) => name.startsWith('loop'))
  const backing = await Promise.all(
    devices.map((name) => readFile(`/sys/block/${name}/loop/backing_file`, 'utf8').catch(() => '')),
  )
  return backing.some((path) => path.trim() === file)
}

async function endProcess(pid: number): Promise<void> {
  await new Promise<void>((resolve) => {
    try {
      const watch = watchPidfd(pid, () => {
        clearTimeout(late)
        resolve()
      })
      const late = setTimeout(() => watch.kill(sigkill), patienceMs)
      watch.kill(sigterm)
    } catch {
      // It has ended.
      resolve()
    }
  })
}
