import type { Socket } from 'node:net'
import { type Clock, VirError } from '@covirt/core'
import type { SystemCalls } from '../native.js'
import { descriptorOf } from './connection.js'

const retryMs = 10
const attempts = 500

/** Passes descriptors over `socket`, waiting for room in it for as long as five seconds. */
export function descriptorSender(
  socket: Socket,
  { systemCalls, clock }: { readonly systemCalls: SystemCalls; readonly clock: Clock },
): (descriptor: number) => Promise<void> {
  return async (descriptor) => {
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      const fd = descriptorOf(socket)
      if (fd === undefined) throw new VirError('INVALID_CONN', 'The client has gone')
      if (systemCalls.sendDescriptor(fd, descriptor)) return
      await clock.sleep(retryMs)
    }
    throw new VirError('OPERATION_TIMEOUT', 'The client takes no descriptor')
  }
}
