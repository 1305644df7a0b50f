import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { tempRoot } from '../fixtures/index.js'

const program = '/usr/lib/libvirt/libvirt-guests.sh'

/** In a mount namespace of its own it finds its configuration, and keeps its list, where nobody else does. */
const script = `
mount --bind "$1/default" /etc/default && mount --bind "$1/state" /var/lib && exec sh ${program} stop
`

/** How libvirt-guests is configured; else as it comes. */
export interface LibvirtGuestsOptions {
  readonly uri: string
  /** How many guests it stops at a time; 0, as it comes: one after the other. */
  readonly parallel: number
  /** For each guest, or where it stops several at a time for all of them. It comes with 300 s. */
  readonly timeoutSeconds: number
  /** When it is given up. */
  readonly patienceMs: number
}

/** Stops guests as libvirt-guests.service does when its host goes down. False where it had to be given up. */
export async function runLibvirtGuests(options: LibvirtGuestsOptions): Promise<boolean> {
  await using root = await tempRoot()
  for (const directory of ['default', 'state/libvirt']) await mkdir(root.join(directory), { recursive: true })
  const settings = [
    `URIS='${options.uri}'`,
    'ON_SHUTDOWN=shutdown',
    `SHUTDOWN_TIMEOUT=${options.timeoutSeconds}`,
    `PARALLEL_SHUTDOWN=${options.parallel}`,
  ]
  await writeFile(root.join('default/libvirt-guests'), `${settings.join('\n')}\n`)
  const namespaces = ['--mount', '--propagation', 'private']
  // A process group of its own: what it waits for goes with it.
  const child = spawn('unshare', [...namespaces, 'sh', '-c', script, 'sh', root.path], {
    detached: true,
    stdio: 'ignore',
  })
  const ended = once(child, 'close')
  const late = setTimeout(() => process.kill(-(child.pid ?? 0), 'SIGKILL'), options.patienceMs)
  const [code] = (await ended) as [number | null]
  clearTimeout(late)
  // 1: it has not brought all of them down.
  if (code !== null && code > 1) throw new Error(`libvirt-guests has ended with ${code}`)
  return code !== null
}
