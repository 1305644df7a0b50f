import { text } from 'node:stream/consumers'
import { VirError } from '@covirt/core'

/** All that a simulated guest has in its memory, and loses when it boots. */
export interface MachineMemory {
  readonly hung: boolean
  readonly agentConnected: boolean
  /** How long it has run. */
  readonly ranMs: number
  /** What a test has put there. */
  readonly note: string
}

/** A machine's memory as it is saved. */
export async function* writeMemory(memory: MachineMemory): AsyncGenerator<Uint8Array> {
  yield Buffer.from(JSON.stringify(memory))
}

/** Reads what {@link writeMemory} has written; `OPERATION_FAILED` where it is something else. */
export async function readMemory(state: AsyncIterable<Uint8Array>): Promise<MachineMemory> {
  const json = await text(state)
  try {
    const { hung, agentConnected, ranMs, note } = JSON.parse(json) as MachineMemory
    return { hung, agentConnected, ranMs, note }
  } catch (error) {
    throw new VirError('OPERATION_FAILED', 'The state is not one of a test guest', {
      domain: 'TEST',
      cause: error,
    })
  }
}
