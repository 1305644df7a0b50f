import { messageOf } from '@covirt/core'
import { formatDomain, lifecycleOf, parseDomain, withLifecycle } from '@covirt/xml'
import type { Named, Recorder } from './recorder.js'
import type { RunnerParts } from './runner-parts.js'

/**
 * Takes out of a domain's definition that it is to be started once, and notes that in the journal: until it is noted,
 * the next plan of a boot has this to do. What goes wrong is logged.
 */
export async function clearOnce(
  domain: Named,
  { driver, logger, signal }: Pick<RunnerParts, 'driver' | 'logger' | 'signal'>,
  recorder: Recorder,
): Promise<void> {
  try {
    const xml = await driver.getDomainXml(domain, { inactive: true, secure: true, signal })
    const document = parseDomain(xml)
    const lifecycle = lifecycleOf(document)
    if (lifecycle?.start?.once) {
      const changed = { ...lifecycle, start: { ...lifecycle.start, once: undefined } }
      await driver.defineDomain(formatDomain(withLifecycle(document, changed)), { signal })
    }
    recorder.note({ uuid: domain.uuid, name: domain.name, event: 'once-over' })
  } catch (error) {
    logger.error("'once' could not be taken out of a definition", {
      domain: domain.name,
      error: messageOf(error),
    })
  }
}
