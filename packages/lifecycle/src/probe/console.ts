import { requireRole, VirError } from '@covirt/core'
import type { Probe } from './probe.js'

/** How much of what the console has printed is looked at. */
const windowCharacters = 16_384

/**
 * The console prints text that matches. It holds the console while it waits; it never takes it from somebody who has
 * it open, but tries again later.
 */
export const probeConsole: Probe<'console'> = async ({ pattern, device }, { driver, domain, signal }) => {
  const expression = new RegExp(pattern, 'm')
  const stream = await requireRole(driver, 'console').openConsole(domain, { device, signal })
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
