import { writeFileSync } from 'node:fs'
import { longest } from './test-sequencer.mjs'

const EXIT_WITHIN_MS = 30_000
/** What takes longer is to be among those that begin. */
const LONG_MS = 60_000

/**
 * A reporter for Jest that leaves the numbers of a run, and why tests were left out, in the file that
 * COVIRT_TEST_SUMMARY names, for scripts/test.mjs.
 */
class SummaryReporter {
  onRunComplete(_contexts, results) {
    const summary = {
      passed: results.numPassedTests,
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      skipped: results.numPendingTests + results.numTodoTests,
      leftOut: leftOut(results),
      failures: failures(results),
    }
    writeFileSync(process.env.COVIRT_TEST_SUMMARY, JSON.stringify(summary))
    for (const { testFilePath, perfStats } of results.testResults) {
      const isKnown = longest.some((pattern) => pattern.test(testFilePath))
      if (perfStats.runtime > LONG_MS && !isKnown)
        console.log(`takes long, and is not in scripts/test-sequencer.mjs: ${testFilePath}`)
    }
    // fires only where something still keeps Jest from ending
    setTimeout(() => {
      console.error(`Jest did not end within ${EXIT_WITHIN_MS / 1000} s: a test leaves a handle open`)
      process.exit(1)
    }, EXIT_WITHIN_MS).unref()
  }
}
// biome-ignore lint/style/noDefaultExport: Jest wants it so
export default SummaryReporter

/** The names of the tests that failed, by file. */
function failures(results) {
  const failed = results.testResults.filter((file) => file.numFailingTests > 0 || file.testExecError)
  return Object.fromEntries(
    failed.map((file) => [
      file.testFilePath,
      file.testResults.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName),
    ]),
  )
}

/** How many tests were left out for each reason that their titles give. */
function leftOut(results) {
  const counts = {}
  for (const test of results.testResults.flatMap((file) => file.testResults)) {
    if (test.status !== 'pending' && test.status !== 'todo') continue
    const reason = /\[left out: (.*?)\]/.exec(test.fullName)?.[1] ?? 'not selected'
    counts[reason] = (counts[reason] ?? 0) + 1
  }
  return counts
}
