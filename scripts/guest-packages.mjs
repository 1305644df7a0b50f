/**
 * Fetches, without installing them, the Debian packages of which the tests make their tiny Linux guest: a
 * kernel and the guest agent. `linuxGuest` in test/fixtures unpacks them.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PACKAGES = fileURLToPath(new URL('../.cache/packages', import.meta.url))

/** Whether everything is there already. */
export function hasGuestPackages() {
  const files = existsSync(PACKAGES) ? readdirSync(PACKAGES) : []
  return ['linux-image', 'qemu-guest-agent'].every((name) => files.some((file) => file.startsWith(name)))
}

/** Fetches them into `.cache/packages`; throws what apt-get says where it cannot. */
export function fetchGuestPackages() {
  const depends = execFileSync('apt-cache', ['depends', 'linux-image-cloud-amd64'], { encoding: 'utf8' })
  const kernel = /Depends: (linux-image-\d\S+)/.exec(depends)?.[1]
  if (kernel === undefined) throw new Error('apt knows no linux-image-cloud-amd64')
  fetchPackages(PACKAGES, [kernel, 'qemu-guest-agent'])
}

/** Fetches Debian packages into `directory`, all or none of them; throws what apt-get says where it cannot. */
export function fetchPackages(directory, names) {
  mkdirSync(directory, { recursive: true })
  const unfinished = mkdtempSync(join(directory, '.fetch-'))
  try {
    const options = ['-qq', '-o', 'APT::Sandbox::User=root']
    execFileSync('apt-get', ['download', ...options, ...names], {
      cwd: unfinished,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    for (const file of readdirSync(unfinished)) renameSync(join(unfinished, file), join(directory, file))
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
}
