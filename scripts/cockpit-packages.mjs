/**
 * Fetches, without installing them, what `npm run test:cockpit` needs: Cockpit with its page for virtual machines, and a
 * browser, about 120 MB. `cockpitBrowser` in test/support unpacks them.
 *
 *     node scripts/cockpit-packages.mjs
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { fetchPackages } from './guest-packages.mjs'

const PACKAGES = fileURLToPath(new URL('../.cache/cockpit', import.meta.url))
/** Fetched with what they need that is not installed. */
const NAMES = ['cockpit-ws', 'cockpit-bridge', 'chromium']
/** These would bring libvirt's own daemon with all its services, or more pages: they are taken alone. */
const ALONE = ['cockpit-machines', 'cockpit-system', 'libvirt-dbus']

const files = existsSync(PACKAGES) ? readdirSync(PACKAGES) : []
if (![...NAMES, ...ALONE].every((name) => files.some((file) => file.startsWith(`${name}_`)))) {
  const plan = execFileSync('apt-get', ['install', '--simulate', '--no-install-recommends', ...NAMES], {
    encoding: 'utf8',
  })
  const missing = [...plan.matchAll(/^Inst (\S+)/gm)].map(([, name]) => name)
  // Where they are installed nothing is planned, and they are fetched all the same.
  fetchPackages(PACKAGES, [...new Set([...missing, ...NAMES, ...ALONE])])
}
