/**
 * Fetches, without installing them, the Debian packages of what containers are compared with: installed, they would
 * bring services with them. `bench/peers` unpacks them.
 */
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { fetchPackages } from './guest-packages.mjs'

const PACKAGES = fileURLToPath(new URL('../.cache/peers', import.meta.url))
/** LXD and libvirt's LXC driver, with those that they depend on and that nothing else here does. */
const NAMES = [
  ...['lxd', 'lxd-client', 'libraft2', 'libdqlite0', 'liblzo2-2', 'squashfs-tools', 'attr'],
  'libvirt-daemon-driver-lxc',
]

/** Whether everything is there already. */
export function hasPeerPackages() {
  const files = existsSync(PACKAGES) ? readdirSync(PACKAGES) : []
  return NAMES.every((name) => files.some((file) => file.startsWith(`${name}_`)))
}

/** Fetches them into `.cache/peers`; throws what apt-get says where it cannot. */
export function fetchPeerPackages() {
  fetchPackages(PACKAGES, NAMES)
}
