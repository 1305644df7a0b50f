/** A reporter for Jest that tells of each test as it ends: for hosts where one file takes many minutes. */
class EachTestReporter {
  onTestCaseResult(_test, { status, duration, fullName }) {
    if (status === 'passed' || status === 'failed')
      console.error(`${status} in ${((duration ?? 0) / 1000).toFixed(1)} s: ${fullName}`)
  }
}
// biome-ignore lint/style/noDefaultExport: Jest wants it so
export default EachTestReporter
