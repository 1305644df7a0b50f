/**
 * Everything about the code that can be said without running it: types, format and lint, who imports whom, dead
 * code, and whether the published packages are well made. One line a check; more only of what fails.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const REPOSITORY = fileURLToPath(new URL('..', import.meta.url))
const bin = (name) => join(REPOSITORY, 'node_modules/.bin', name)

const jest = [
  ...['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
  ...[join(REPOSITORY, 'node_modules/jest/bin/jest.js'), '--runInBand'],
]

const start = performance.now()
const failures = []

const packed = mkdtempSync(join(tmpdir(), 'covirt-packed-'))
process.on('exit', () => rmSync(packed, { recursive: true }))

const packages = publishedPackages()
// the package checks look at what this compiles, and at what this packs: all at once, for npm's start takes longer
await runCheck({ name: 'types of the packages', command: [bin('tsc'), '-b'] })
await runCheck({
  name: 'packages as npm packs them',
  command: [
    ...['npm', 'pack', '--silent', '--pack-destination', packed],
    ...packages.flatMap(({ name }) => ['--workspace', name]),
  ],
})
await runAll([
  { name: 'types of the tests', command: [bin('tsc'), '-p', 'tsconfig.test.json'] },
  { name: 'format and lint', command: [bin('biome'), 'check', '--error-on-warnings', '.'] },
  ...(existsSync(join(REPOSITORY, 'test/house.test.ts'))
    ? [{ name: 'who imports whom', command: [process.execPath, ...jest, 'test/house.test.ts'] }]
    : []),
  { name: 'dead code', command: [bin('knip'), '--no-progress', '--no-config-hints'] },
  {
    name: 'types of the packages as installed',
    command: [
      process.execPath,
      join(REPOSITORY, 'scripts/installed-types.mjs'),
      ...packages.map(({ tarball }) => tarball),
    ],
  },
  ...packages.map(({ name, tarball }) => ({
    name: `${name}: publint`,
    command: [bin('publint'), 'run', '--strict', tarball],
  })),
])

const seconds = ((performance.now() - start) / 1000).toFixed(1)
console.log(failures.length === 0 ? `all well, ${seconds} s` : `${failures.length} failed, ${seconds} s`)
process.exitCode = failures.length === 0 ? 0 : 1

function publishedPackages() {
  return ['packages', 'native']
    .flatMap((parent) => readdirSync(join(REPOSITORY, parent)).map((name) => join(parent, name)))
    .filter((directory) => existsSync(join(REPOSITORY, directory, 'package.json')))
    .map((directory) => JSON.parse(readFileSync(join(REPOSITORY, directory, 'package.json'), 'utf8')))
    .filter((manifest) => manifest.private !== true)
    .map(({ name, version }) => ({
      name,
      tarball: join(packed, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`),
    }))
}

/** As many at a time as there are processors. */
async function runAll(checks) {
  const queue = [...checks]
  const worker = async () => {
    for (let check = queue.shift(); check !== undefined; check = queue.shift()) await runCheck(check)
  }
  await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, worker))
}

async function runCheck({ name, command: [program, ...parameters] }) {
  const begun = performance.now()
  const child = spawn(program, parameters, {
    cwd: REPOSITORY,
    stdio: ['ignore', 'pipe', 'pipe'],
    // npm complains about settings of a user that it does not know
    env: {
      ...process.env,
      npm_config_loglevel: 'error',
      ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' }),
    },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  const code = await new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('close', resolve)
  })
  const seconds = ((performance.now() - begun) / 1000).toFixed(1)
  console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`)
  if (code === 0) return
  failures.push(name)
  console.log(output.trim().replace(/^/gm, '       '))
}
