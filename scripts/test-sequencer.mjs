import Sequencer from '@jest/test-sequencer'

/**
 * The files that take longest, the longest first: half a minute or more where two run at a time on two processors. They
 * run contracts on guests, boot systems or kill processes by the hundred.
 */
export const longest = [
  /driver-qemu\/test\/contract[^/]*$/,
  /driver-lxc\/test\/contract[^/]*$/,
  /test\/kill-nine\.test/,
  /covirt\/test\/host-contract-(qemu|lxc)\.test/,
  /covirt\/test\/(examples|debian-container)\.test/,
  /driver-remote\/test\/contract\.test/,
  /driver-lxc\/test\/real-containers\.test/,
  /driver-qemu\/test\/(linux-guest|machines)\.test/,
  /daemon\/test\/(daemon|real-clients|real-guests|access-matrix)\.test/,
  /covirt\/test\/cli(-real)?\.test/,
]

/**
 * Starts the longest files first: the last of them would run alone. Where Jest has not timed a file yet, as in a clean
 * clone, it takes its size for its time, and the longest are short ones.
 */
export default class LongestFirst extends Sequencer {
  sort(tests) {
    const sorted = super.sort(tests)
    const among = longest.map((pattern) => sorted.filter(({ path }) => pattern.test(path)))
    return [...new Set([...among.flat(), ...sorted])]
  }
}
