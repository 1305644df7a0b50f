import {
  type ConsoleOptions,
  type ConsoleRole,
  type ConsoleStream,
  type DomainRef,
  isVirError,
  requireRole,
  VirError,
} from '@covirt/core'
import type { Probe } from './probe.js'

/** How much of what the console has printed is looked at. */
const windowCharacters = 16_384

/**
 * The console prints text that matches, from now on: what it printed before may be of an earlier boot. It looks at it
 * together with others where the driver lets it; else it holds the console while it waits, and never takes it from
 * somebody who has it open, but tries again later.
 */
export const probeConsole: Probe<'console'> = async ({ pattern, device }, { driver, domain, signal }) => {
  const expression = new RegExp(pattern, 'm')
  const stream = await openShared(requireRole(driver, 'console'), domain, { device, signal })
  try {
    await new Promise<void>((resolve, reject) => {
      let text = ''
      const decoder = new TextDecoder()
      stream.on('data', (bytes: Uint8Array) => {
        text = (text + decoder.decode(bytes, { stream: true })).slice(-windowCharacters)
        if (expression.test(text)) resolve()
      })
      stream.once('error', reject)
      stream.once('close', () => reject(new VirError('OPERATION_FAILED', 'The console was closed')))
      stream.once('end', () => reject(new VirError('OPERATION_FAILED', 'The console was closed')))
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      if (signal.aborted) reject(signal.reason)
    })
  } finally {
    stream.destroy()
  }
}

async function openShared(
  role: ConsoleRole,
  domain: DomainRef,
  options: ConsoleOptions,
): Promise<ConsoleStream> {
  try {
    return await role.openConsole(domain, { ...options, shared: true })
  } catch (error) {
    if (!isVirError(error, 'ARGUMENT_UNSUPPORTED')) throw error
    return role.openConsole(domain, options)
  }
}
