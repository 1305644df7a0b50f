/**
 * Runs the tests; arguments go to Jest. Ends with the line `N passed, N failed`, and `, N skipped` if any.
 *
 * In continuous integration (CI=true) a test that is left out counts as failed, unless COVIRT_ALLOW_SKIPPED lists the
 * first word of the reason (`kvm,linux-guest`).
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const REPOSITORY = fileURLToPath(new URL('..', import.meta.url))

const start = performance.now()
const scratch = mkdtempSync(join(tmpdir(), 'covirt-tests-'))
const summaryFile = join(scratch, 'summary.json')
try {
  process.exitCode = report(await runJest(process.argv.slice(2)))
} finally {
  rmSync(scratch, { recursive: true })
}

function runJest(parameters) {
  const jest = [
    ...['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
    ...[join(REPOSITORY, 'node_modules/jest/bin/jest.js'), '--randomize'],
    ...['--reporters=default', `--reporters=${join(REPOSITORY, 'scripts/test-reporter.mjs')}`],
    ...(parameters.some((one) => /^(-w|-i|--maxWorkers|--runInBand)/.test(one)) ? [] : [workers()]),
    ...parameters,
  ]
  const child = spawn(process.execPath, jest, {
    cwd: REPOSITORY,
    // Jest reports on stderr; one stream keeps the last line last
    stdio: ['inherit', 'inherit', 1],
    env: { ...process.env, COVIRT_TEST_SUMMARY: summaryFile },
  })
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
  return new Promise((resolve) => child.on('exit', (code) => resolve(code ?? 1)))
}

/** Tests mostly wait for guests: as many workers as processors, where Jest would take one less. */
function workers() {
  return `--maxWorkers=${Math.max(2, availableParallelism())}`
}

/** Prints the numbers; the exit code. */
function report(jestCode) {
  const nothing = { passed: 0, failed: 0, skipped: 0, leftOut: {} }
  const summary = existsSync(summaryFile) ? JSON.parse(readFileSync(summaryFile, 'utf8')) : nothing
  let { passed, failed, skipped } = summary
  console.log()
  for (const [reason, count] of Object.entries(summary.leftOut)) {
    const isFailure = process.env.CI === 'true' && !isAllowed(reason)
    if (isFailure) {
      failed += count
      skipped -= count
    }
    console.log(
      `left out: ${count} ${count === 1 ? 'test' : 'tests'}: ${reason}${isFailure ? ' (a failure in CI)' : ''}`,
    )
  }
  if (jestCode !== 0 && failed === 0) {
    failed = 1
    console.log('the run failed as a whole: see above')
  }
  console.log(`took ${((performance.now() - start) / 1000).toFixed(1)} s`)
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
  return failed === 0 ? 0 : 1
}

function isAllowed(reason) {
  const allowed = (process.env.COVIRT_ALLOW_SKIPPED ?? '').split(',')
  return allowed.includes(reason.split(':')[0])
}
