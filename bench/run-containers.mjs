// `npm run bench:containers -- [--json] [--rounds N]`: fetches the peers, without installing them, then measures.
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fetchPeerPackages, hasPeerPackages } from '../scripts/peer-packages.mjs'

const repository = join(dirname(fileURLToPath(import.meta.url)), '..')
try {
  if (!hasPeerPackages()) fetchPeerPackages()
} catch (error) {
  console.error(`peers were not fetched: ${error.stderr ?? error.message}`)
}
for (const command of [
  ['scripts/setup.mjs', '--quiet'],
  ['--import', './scripts/typescript.mjs', 'bench/containers.ts', ...process.argv.slice(2)],
]) {
  const { status } = spawnSync(process.execPath, command, { cwd: repository, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
