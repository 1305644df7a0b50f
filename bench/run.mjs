// `npm run bench -- [--json] [NAME ...]`: builds what is measured, then measures it.
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const repository = join(dirname(fileURLToPath(import.meta.url)), '..')
const run = (command, args, stdio) => {
  const { status } = spawnSync(command, args, { cwd: repository, stdio })
  if (status !== 0) process.exit(status ?? 1)
}
// Standard output is kept for the figures.
run(process.execPath, ['scripts/setup.mjs', '--quiet'], ['ignore', 2, 2])
run(
  process.execPath,
  ['--import', './scripts/typescript.mjs', 'bench/main.ts', ...process.argv.slice(2)],
  'inherit',
)
