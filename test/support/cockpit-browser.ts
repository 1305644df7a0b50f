import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { cached } from '../fixtures/build-cache.js'
import type { Requirement } from '../fixtures/index.js'
import { openPage, type Page } from './browser.js'

const run = promisify(execFile)
const packages = fileURLToPath(new URL('../../.cache/cockpit', import.meta.url))
const script = fileURLToPath(new URL('cockpit-host.sh', import.meta.url))

/** Where its server is, for its browser. */
export const cockpitUrl = 'http://127.0.0.1:9090'

/** Why Cockpit cannot be shown here; `undefined`: it can. */
export function canRunCockpit(): Requirement {
  if (process.getuid?.() !== 0) return 'cockpit: needs root'
  return packageFiles().length > 0 ? undefined : 'cockpit: it was not fetched (npm run test:cockpit)'
}

/** A browser beside an unmodified Cockpit. */
export interface CockpitBrowser extends AsyncDisposable {
  readonly page: Page
}

/**
 * Starts both, in namespaces of their own where the directory `libvirt` is libvirt's. What they say is in the reason with
 * which waiting for the page ends.
 */
export async function cockpitBrowser(libvirt: string, signal: AbortSignal): Promise<CockpitBrowser> {
  const unpacked = await unpackedCockpit()
  const namespaces = ['--mount', '--propagation', 'private', '--net', '--pid', '--mount-proc']
  const child = spawn('unshare', [...namespaces, '--fork', '--kill-child', 'sh', script, unpacked, libvirt], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
  })
  const said = text(child.stderr as Readable)
  const ended = new AbortController()
  child.once('exit', () => said.then((words) => ended.abort(new Error(`Cockpit's host has ended: ${words}`))))
  const either = AbortSignal.any([signal, ended.signal])
  const [, , , input, output] = child.stdio as unknown as readonly [null, null, null, Writable, Readable]
  input.on('error', () => {})
  const close = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    // It ignores other signals, and takes all that is within along.
    child.kill('SIGKILL')
    await exited
  }
  try {
    return { page: await openPage(input, output, either), [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}

function packageFiles(): readonly string[] {
  try {
    return readdirSync(packages)
      .filter((file) => file.endsWith('.deb'))
      .sort()
      .map((file) => join(packages, file))
  } catch {
    return []
  }
}

async function unpackedCockpit(): Promise<string> {
  const files = packageFiles()
  return cached('cockpit', files, async (directory) => {
    for (const file of files) await run('dpkg-deb', ['-x', file, directory])
  })
}
