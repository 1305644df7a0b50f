import { unlimitedMemoryKib } from '@covirt/core'
import type { TuningDefaults } from './hypervisor.js'

/** What control groups bound, and what holds where nothing is said: for drivers whose guests have such a group. */
export const controlGroupTuning: TuningDefaults = {
  scheduler: { shares: 1024n, periodUs: 100_000n, quotaUs: -1n },
  memory: {
    hardLimitKib: unlimitedMemoryKib,
    softLimitKib: unlimitedMemoryKib,
    swapHardLimitKib: unlimitedMemoryKib,
  },
  blkio: { weight: 0, devices: [] },
}
