/**
 * Runs the tests; arguments go to Jest. Ends with the line `N passed, N failed`, and `, N skipped` if any.
 *
 * In continuous integration (CI=true) a test that is left out counts as failed, unless COVIRT_ALLOW_SKIPPED lists the
 * first word of the reason (`kvm,linux-guest`). There too, where only a few files fail, they are run once more on their
 * own, for machines of continuous integration are shared and noisy: what passes then is named as unsteady, so that it
 * gets mended, and fails nothing.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** More than these is no noise. */
const MOST_FILES_AGAIN = 4

const REPOSITORY = fileURLToPath(new URL('..', import.meta.url))

const start = performance.now()
const scratch = mkdtempSync(join(tmpdir(), 'covirt-tests-'))
const summaryFile = join(scratch, 'summary.json')
try {
  const parameters = process.argv.slice(2)
  const code = await runJest(parameters)
  process.exitCode = report(code, await runAgain(code, parameters))
} finally {
  rmSync(scratch, { recursive: true })
}

/** The outcome of a second run of the files that failed; undefined where none is due. */
async function runAgain(code, parameters) {
  if (code === 0 || process.env.CI !== 'true') return undefined
  const first = readSummary()
  const files = Object.keys(first.failures)
  if (files.length === 0 || files.length > MOST_FILES_AGAIN) return undefined
  console.log(`\nonce more, on their own: ${files.join(' ')}`)
  const options = parameters.filter((one) => one.startsWith('-'))
  const again = await runJest([...options, '--runInBand', '--runTestsByPath', ...files])
  return { first, passed: again === 0 }
}

function readSummary() {
  const nothing = { passed: 0, failed: 0, skipped: 0, leftOut: {}, failures: {} }
  return existsSync(summaryFile) ? JSON.parse(readFileSync(summaryFile, 'utf8')) : nothing
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
function report(firstCode, again) {
  const summary = again?.first ?? readSummary()
  let { passed, failed, skipped } = summary
  let jestCode = firstCode
  console.log()
  if (again?.passed) {
    for (const name of Object.values(summary.failures).flat()) console.log(`unsteady: ${name}`)
    passed += failed
    failed = 0
    jestCode = 0
  }
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
