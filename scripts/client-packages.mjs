/**
 * Fetches, without installing them, Debian packages of programs that tests run as clients of the daemon: installed,
 * they would bring services with them. `unpackedClient` in test/fixtures unpacks them.
 */
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { fetchPackages } from './guest-packages.mjs'

const PACKAGES = fileURLToPath(new URL('../.cache/clients', import.meta.url))
const NAMES = ['libvirt-dbus', 'prometheus-libvirt-exporter']

/** Whether everything is there already. */
export function hasClientPackages() {
  const files = existsSync(PACKAGES) ? readdirSync(PACKAGES) : []
  return NAMES.every((name) => files.some((file) => file.startsWith(`${name}_`)))
}

/** Fetches them into `.cache/clients`; throws what apt-get says where it cannot. */
export function fetchClientPackages() {
  fetchPackages(PACKAGES, NAMES)
}
