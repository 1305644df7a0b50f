import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { VirError } from '@covirt/core'

/** Where an administrator's own units are (systemd.unit(5)). */
export const unitDirectory = '/etc/systemd/system'

/** Says that a file may be replaced and removed by us. */
const mark = '# Made by covirt install-units, which also removes it.\n'

/** Which units are made. */
export interface UnitOptions {
  /** Without covirtd: the guests' unit brings them up itself. */
  readonly withoutDaemon?: boolean | undefined
}

/** Units for this installation of covirt: their names with their texts. `OPERATION_FAILED` where covirtd is missing. */
export async function unitFiles({ withoutDaemon }: UnitOptions): Promise<ReadonlyMap<string, string>> {
  const daemon = daemonDirectory()
  const templates = join(daemon, 'systemd')
  const command = `${process.execPath} ${fileURLToPath(new URL('../../bin/covirt.js', import.meta.url))}`
  const files = new Map<string, string>()
  for (const name of (await readdir(templates)).sort()) {
    if (withoutDaemon && name !== 'covirt-guests.service') continue
    const text = (await readFile(join(templates, name), 'utf8'))
      .replaceAll('/usr/bin/covirtd', `${process.execPath} ${join(daemon, 'bin/covirtd.js')}`)
      .replaceAll('/usr/bin/covirt ', `${command} `)
    files.set(name, `${mark}${withoutDaemon ? standingAlone(text) : text}`)
  }
  return files
}

/** Writes all of them, or none: `OPERATION_FAILED` where a file of one of the names is not ours. */
export async function installUnits(
  directory: string,
  files: ReadonlyMap<string, string>,
): Promise<readonly string[]> {
  await mkdir(directory, { recursive: true })
  for (const name of files.keys()) await requireOurs(join(directory, name))
  for (const [name, text] of files) await writeFile(join(directory, name), text, { mode: 0o644 })
  return [...files.keys()]
}

/** Removes what {@link installUnits} has written, and nothing else; resolves to the names. */
export async function removeUnits(directory: string): Promise<readonly string[]> {
  const names = (await readdir(directory))
    .filter((name) => /^covirt[a-z-]*\.(service|socket)$/.test(name))
    .sort()
  const removed: string[] = []
  for (const name of names) {
    const path = join(directory, name)
    if (!(await readFile(path, 'utf8')).startsWith(mark)) continue
    await rm(path)
    removed.push(name)
  }
  return removed
}

async function requireOurs(path: string): Promise<void> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  if (text.startsWith(mark)) return
  throw new VirError('OPERATION_FAILED', `${path} is there already and was not made by covirt`, {
    hint: 'Move it away first',
  })
}

function standingAlone(text: string): string {
  return text
    .replace('Wants=covirtd.service ', 'Wants=')
    .replace('After=covirtd.service covirtd.socket ', 'After=')
    .replace(/^# covirtd brings them up.*\n#.*\n/m, '')
    .replace(' up --taken-down\n', ' up --boot\n')
}

function daemonDirectory(): string {
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve('@covirt/daemon')))
  } catch (cause) {
    throw new VirError('OPERATION_FAILED', 'covirtd is not installed', {
      hint: 'npm install @covirt/daemon',
      cause,
    })
  }
}
