import type { AdoptSpec } from '@covirt/local'
import { findProcesses, type ProcessIdentity } from './process/process-identity.js'
import { QemuProcess } from './process/qemu-process.js'

/**
 * The processes of a guest that an earlier process of ours launched: the one that it noted, or, where it came to
 * no note that makes sense, those that work in the guest's directory with its uuid on their command line: a QEMU
 * and maybe a program that wraps it.
 */
export async function findGuest({ record, places, domain }: AdoptSpec): Promise<readonly QemuProcess[]> {
  const noted = record && identityIn(record)
  const identities = noted ? [noted] : await findProcesses(places.runDirectory, domain.uuid)
  const found = await Promise.all(
    identities.map((identity) => QemuProcess.adopt(identity, domain.uuid, places.logFile)),
  )
  return found.filter((process) => process !== undefined)
}

function identityIn({ pid, startTime }: NonNullable<AdoptSpec['record']>): ProcessIdentity | undefined {
  if (typeof pid !== 'number' || typeof startTime !== 'string') return undefined
  return { pid, startTime }
}
