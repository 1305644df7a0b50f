/**
 * Makes a fresh machine ready for building and testing. Needs Node.js alone, and may be run again at any time:
 * what is there already is not done twice.
 *
 *     node scripts/setup.mjs [--tests] [--quiet]
 *
 * --tests  also fetches what only the tests need: packages for the tiny Linux guest, libvirt's daemon and clients
 * --quiet  says only what went wrong
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fetchClientPackages, hasClientPackages } from './client-packages.mjs'
import { fetchGuestPackages, hasGuestPackages } from './guest-packages.mjs'

const REPOSITORY = fileURLToPath(new URL('..', import.meta.url))

const NODE_NEEDED = [20, 19]

/** What real containers and virtual machines need on Debian and its like. */
const SYSTEM_PACKAGES = [
  ...['lxc', 'liblxc1', 'lxc-dev', 'lxcfs', 'uidmap', 'rsync', 'iproute2', 'busybox-static'],
  ...['qemu-system-x86', 'qemu-utils', 'e2fsprogs', 'util-linux', 'gcc', 'g++', 'make', 'python3'],
]

/**
 * What only tests need: libvirt's own daemon and its clients as peers, what a window needs without a screen, and what
 * bootstraps Debian.
 */
const TEST_PACKAGES = [
  ...[
    'libvirt-daemon',
    'libvirt-daemon-driver-qemu',
    'libvirt-clients',
    'libsasl2-modules',
    'python3-libvirt',
    'libsys-virt-perl',
  ],
  ...['virt-manager', 'virtinst', 'xvfb', 'dbus', 'at-spi2-core', 'gir1.2-atspi-2.0', 'libvirt-glib-1.0-0'],
  ...['openssl', 'mmdebstrap'],
]

const options = new Set(process.argv.slice(2))
const isRoot = process.getuid?.() === 0

checkNode()
step('system packages', () => systemPackages(SYSTEM_PACKAGES))
if (options.has('--tests')) {
  step('peers for tests', () => systemPackages(TEST_PACKAGES))
  step('Linux test guest', guestPackages)
  step('clients for tests', clientPackages)
}
if (!step('npm packages', npmPackages)) process.exit(1)
step('native parts', nativeParts)
step('TypeScript', typeScript)

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > NODE_NEEDED[0] || (major === NODE_NEEDED[0] && minor >= NODE_NEEDED[1])) return
  console.error(
    `setup: Node.js ${NODE_NEEDED.join('.')} or later is needed, this is ${process.versions.node}`,
  )
  process.exit(1)
}

/** Debian's packages, installed by root, named to others. */
function systemPackages(packages) {
  if (!hasProgram('dpkg-query')) return { warning: `not Debian: install yourself ${packages.join(' ')}` }
  const missing = missingPackages(packages)
  if (missing.length === 0) return 'all there'
  const apt = ['install', '--yes', '--no-install-recommends', ...missing]
  if (!isRoot) return { warning: `missing: apt-get ${apt.join(' ')} (as root)` }
  say(`installing ${missing.join(' ')}`)
  const environment = { DEBIAN_FRONTEND: 'noninteractive' }
  const failure = withoutStartingServices(
    () => run('apt-get', ['update', '-qq'], environment) ?? run('apt-get', ['-qq', ...apt], environment),
  )
  return failure === undefined ? `installed ${missing.length}` : { warning: `apt-get failed: ${failure}` }
}

function missingPackages(packages) {
  const format = `\${Package} \${db:Status-Status}\\n`
  const { stdout } = spawnSync('dpkg-query', ['-W', '-f', format, ...packages], { encoding: 'utf8' })
  const installed = new Set(stdout.split('\n').flatMap((line) => line.match(/^(\S+) installed$/)?.[1] ?? []))
  return packages.filter((name) => !installed.has(name))
}

/**
 * Debian starts a package's services at installation, lxc's bridge among them, unless a policy says no. We need
 * none of them, and a machine that only builds shall not get a bridge.
 */
function withoutStartingServices(action) {
  const policy = '/usr/sbin/policy-rc.d'
  if (existsSync(policy)) return action()
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    return action()
  } finally {
    rmSync(policy)
  }
}

function guestPackages() {
  if (hasGuestPackages()) return 'all there'
  if (!hasProgram('apt-get')) return { warning: 'not Debian: tests with the Linux guest are left out' }
  say('fetching a kernel and the guest agent')
  try {
    fetchGuestPackages()
    return 'fetched'
  } catch (error) {
    return { warning: `not fetched, its tests are left out: ${error.stderr ?? error.message}` }
  }
}

function clientPackages() {
  if (hasClientPackages()) return 'all there'
  if (!hasProgram('apt-get'))
    return { warning: "not Debian: tests with some of libvirt's clients are left out" }
  try {
    fetchClientPackages()
    return 'fetched'
  } catch (error) {
    return { warning: `not fetched, their tests are left out: ${error.stderr ?? error.message}` }
  }
}

function npmPackages() {
  if (isNpmTreeCurrent()) return 'all there'
  say('installing from package-lock.json')
  // not `npm ci`: that refuses a lock file which does not name the packages of other platforms, as ours may not
  const failure = run('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'])
  return failure === undefined ? 'installed' : { failure: `npm install failed: ${failure}` }
}

/** npm writes down, as its last act, what it installed: compared with the lock file. */
function isNpmTreeCurrent() {
  const installedFile = join(REPOSITORY, 'node_modules/.package-lock.json')
  if (!existsSync(installedFile)) return false
  const installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages
  const wanted = JSON.parse(readFileSync(join(REPOSITORY, 'package-lock.json'), 'utf8')).packages
  return Object.entries(wanted)
    .filter(([path, entry]) => path.includes('node_modules/') && !entry.optional)
    .every(([path, entry]) => installed[path]?.version === entry.version)
}

function nativeParts() {
  const native = join(REPOSITORY, 'native/lxc')
  if (!existsSync(join(native, 'binding.gyp'))) return 'nothing to build'
  if (isNativeCurrent(native)) return 'up to date'
  say('building the bindings to liblxc')
  // What node-gyp says is told only where it fails: silent, it would keep the reason to itself.
  const failure = run('npm', ['run', 'build:native', '--loglevel=error'], {
    ...headersOfThisNode(),
    NODE_NO_WARNINGS: '1',
  })
  if (failure === undefined) return 'built'
  return { warning: `not built, real containers are left out: ${failure}` }
}

function isNativeCurrent(native) {
  const release = join(native, 'build/Release')
  if (!existsSync(release)) return false
  const built = readdirSync(release).filter((name) => name.endsWith('.node'))
  const sources = [join(native, 'binding.gyp'), ...filesBelow(join(native, 'src'))]
  const newest = Math.max(...sources.map((path) => statSync(path).mtimeMs))
  return built.length > 0 && built.every((name) => statSync(join(release, name)).mtimeMs >= newest)
}

/** Node's own headers, where the distribution ships them: else node-gyp fetches them. */
function headersOfThisNode() {
  const prefix = dirname(dirname(process.execPath))
  return existsSync(join(prefix, 'include/node/node_api.h')) ? { npm_config_nodedir: prefix } : {}
}

function typeScript() {
  const failure = run(process.execPath, [join(REPOSITORY, 'node_modules/typescript/bin/tsc'), '-b'])
  return failure === undefined ? 'compiled' : { warning: `does not compile: ${failure}` }
}

/** Runs one step and says how it ended and what it took; false where nothing can go on. */
function step(name, action) {
  const start = performance.now()
  const result = action()
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  if (typeof result === 'string') say(`${name}: ${result} (${seconds} s)`)
  else console.error(`setup: ${name}: ${result.warning ?? result.failure}`)
  return result.failure === undefined
}

function say(text) {
  if (!options.has('--quiet')) console.log(`setup: ${text}`)
}

/** Undefined where it went well, else the beginning and the end of what it said. */
function run(command, parameters, environment = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, parameters, {
    cwd: REPOSITORY,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (status === 0) return undefined
  if (error !== undefined) return error.message
  const lines = `${stdout}${stderr}`.trim().split('\n')
  return lines.length <= 30 ? lines.join('\n') : [...lines.slice(0, 15), '…', ...lines.slice(-15)].join('\n')
}

function hasProgram(name) {
  return spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0
}

function filesBelow(directory) {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
}
