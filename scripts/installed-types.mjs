/**
 * Whether programs that install the packages in tarballs find their types: as `attw --profile esm-only` does, but all in
 * one process, for the compiler inside it takes seconds to load.
 *
 *     node scripts/installed-types.mjs FILE.tgz…
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const ofCommand = createRequire(createRequire(import.meta.url).resolve('@arethetypeswrong/cli/package.json'))
const { checkPackage, createPackageFromTarballData } = await import(
  pathToFileURL(ofCommand.resolve('@arethetypeswrong/core'))
)

/** Nobody can load these packages so, types or not. */
const ignored = ['node10', 'node16-cjs']

for (const file of process.argv.slice(2)) {
  const { types, problems = [] } = await checkPackage(createPackageFromTarballData(readFileSync(file)))
  const wrong = problems.filter(({ resolutionKind }) => !ignored.includes(resolutionKind))
  if (types && wrong.length === 0) continue
  process.exitCode = 1
  console.log(`${file}: ${types ? JSON.stringify(wrong, undefined, 2) : 'it has no types'}`)
}
