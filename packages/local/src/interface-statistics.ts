import { readFile } from 'node:fs/promises'
import type { InterfaceStatistics } from '@covirt/core'

const counters = ['bytes', 'packets', 'errors', 'dropped'] as const

/**
 * What the kernel has counted of a network interface (/sys/class/net/NAME/statistics); `undefined` where there is none.
 * `turned`: it is the host's end of a guest's, which receives what the guest sends. `name` has been checked to be one.
 */
export async function readInterfaceStatistics(
  name: string,
  { turned }: { readonly turned: boolean },
): Promise<InterfaceStatistics | undefined> {
  const read = async (direction: 'rx' | 'tx') =>
    Promise.all(
      counters.map(async (counter) =>
        BigInt(
          (await readFile(`/sys/class/net/${name}/statistics/${direction}_${counter}`, 'latin1')).trim(),
        ),
      ),
    ) as Promise<[bigint, bigint, bigint, bigint]>
  try {
    const [rx, tx] = await Promise.all([read('rx'), read('tx')])
    const [received, sent] = turned ? [tx, rx] : [rx, tx]
    return {
      target: name,
      receivedBytes: received[0],
      receivedPackets: received[1],
      receivedErrors: received[2],
      receivedDropped: received[3],
      sentBytes: sent[0],
      sentPackets: sent[1],
      sentErrors: sent[2],
      sentDropped: sent[3],
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
