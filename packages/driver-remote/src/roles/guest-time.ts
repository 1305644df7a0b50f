import type { GuestTimeRole } from '@covirt/core'
import { procedures } from '@covirt/protocol'
import type { PeerCalls } from '../peer-calls.js'

/** VIR_DOMAIN_TIME_SYNC: the time of the guest's hardware. */
const syncFlag = 1
const nsPerSecond = 1_000_000_000n

/** The guest's clock. */
export function guestTimeRole(calls: PeerCalls): GuestTimeRole {
  return {
    getTime: async (domain, options) => {
      const time = await calls.call(procedures.domainGetTime, { domain, flags: 0 }, options)
      return time.seconds * nsPerSecond + BigInt(time.nanoseconds)
    },
    setTime: async (domain, timeNs, options) => {
      const [seconds, nanoseconds] =
        timeNs === undefined ? [0n, 0] : [timeNs / nsPerSecond, Number(timeNs % nsPerSecond)]
      const flags = timeNs === undefined ? syncFlag : 0
      await calls.call(procedures.domainSetTime, { domain, seconds, nanoseconds, flags }, options)
    },
  }
}
