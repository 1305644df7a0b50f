import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cached, FIXTURES } from '../../test/fixtures/build-cache.js'

const run = promisify(execFile)
const packages = join(FIXTURES, '../../.cache/peers')

/** What `/usr` lacks of the peers that were fetched. An error where they were not. */
export async function unpackedPeers(): Promise<string> {
  const files = await readdir(packages).catch(() => [])
  const debs = files.filter((file) => file.endsWith('.deb')).map((file) => join(packages, file))
  if (debs.length === 0)
    throw new Error('its packages were not fetched (npm run bench:containers fetches them)')
  const directory = await cached('peers', debs.sort(), async (out) => {
    for (const deb of debs) await run('dpkg-deb', ['-x', deb, join(out, 'root')])
    // /lib is in /usr on the hosts that this is for.
    await run('cp', ['-a', join(out, 'root/lib'), join(out, 'root/usr')])
  })
  return join(directory, 'root/usr')
}

/** Begins a script that runs in a mount namespace of its own: `$1`, in which the peers are, is laid over /usr there. */
export const withPeers = `set -e
mount --make-rprivate /
mount -t overlay -o "lowerdir=$1:/usr" overlay /usr
`
