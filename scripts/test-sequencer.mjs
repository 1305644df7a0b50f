import Sequencer from '@jest/test-sequencer'

/** These run the contract, on guests that take their time. */
const long = /[/\\]contract(-privileged)?\.test\.ts$/

/**
 * Starts the longest files first. Where Jest has not timed a file yet it takes its size for its time, and these are short:
 * the last of them would run alone.
 */
export default class LongestFirst extends Sequencer {
  sort(tests) {
    const sorted = super.sort(tests)
    return [...sorted.filter(({ path }) => long.test(path)), ...sorted.filter(({ path }) => !long.test(path))]
  }
}
