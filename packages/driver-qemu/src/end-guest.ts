import type { AdoptSpec } from '@covirt/local'
import { type GuestPlan, planGuest } from './command-line/guest-plan.js'
import { findGuest } from './find-guest.js'
import { removeSockets } from './guest-sockets.js'

/** Ends a guest that an earlier process launched, whatever it does; resolves when nothing of it is left. */
export async function endGuest(spec: AdoptSpec): Promise<void> {
  for (const process of await findGuest(spec)) await process.kill(spec.clock)
  await removeSockets(spec.places.runDirectory, planOf(spec))
}

/** A definition that was fit for the version that launched it may not be for this one. */
function planOf({ document }: AdoptSpec): GuestPlan | undefined {
  try {
    return planGuest(document)
  } catch {
    return undefined
  }
}
