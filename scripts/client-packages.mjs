/**
 * Fetches, without installing them, Debian packages of programs that tests run as clients of the daemon: installed,
 * they would bring services with them, or fill the disk. `unpackedClient` in test/fixtures unpacks them.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { fetchPackages } from './guest-packages.mjs'

const PACKAGES = fileURLToPath(new URL('../.cache/clients', import.meta.url))
const NAMES = ['libvirt-dbus', 'prometheus-libvirt-exporter', 'golang-github-digitalocean-go-libvirt-dev']
/** A version of Go: the package `golang-go` does but name one. */
const GO = /golang-\d[\d.]*-go/

/** Whether everything is there already. */
export function hasClientPackages() {
  const files = existsSync(PACKAGES) ? readdirSync(PACKAGES) : []
  const has = (pattern) => files.some((file) => file.search(pattern) === 0)
  return NAMES.every((name) => has(`${name}_`)) && has(GO)
}

/** Fetches them into `.cache/clients`; throws what apt-get says where it cannot. */
export function fetchClientPackages() {
  const [go] = GO.exec(execFileSync('apt-cache', ['depends', 'golang-go'], { encoding: 'utf8' })) ?? []
  if (go === undefined) throw new Error('apt knows no golang-go')
  fetchPackages(PACKAGES, [...NAMES, go, go.replace(/-go$/, '-src')])
}
