import { type Domain, isVirError } from 'covirt'

/**
 * Resolves once all that the guest of a domain that has just gone off still held is freed: its end is told as soon as nothing of
 * it runs, and the next change of the domain waits for the rest. This one does, and is refused then: it costs nothing.
 */
export async function untilFree(domain: Pick<Domain, 'resume'>): Promise<void> {
  try {
    await domain.resume()
  } catch (error) {
    if (!isVirError(error, 'OPERATION_INVALID')) throw error
  }
}
