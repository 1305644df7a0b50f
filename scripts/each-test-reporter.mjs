/** A reporter for Jest that tells of each test as it ends, and why it failed: for hosts where one file takes many minutes. */
class EachTestReporter {
  onTestCaseResult(_test, { status, duration, fullName, failureMessages }) {
    if (status !== 'passed' && status !== 'failed') return
    console.error(`${status} in ${((duration ?? 0) / 1000).toFixed(1)} s: ${fullName}`)
    for (const message of failureMessages) console.error(message)
  }
}
// biome-ignore lint/style/noDefaultExport: Jest wants it so
export default EachTestReporter
