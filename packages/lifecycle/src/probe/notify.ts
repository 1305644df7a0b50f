import type { Probe } from './probe.js'

/** The guest says so itself, as services do with sd_notify(3). */
export const probeNotify: Probe<'notify'> = async (_spec, { io, domain, signal }) => {
  await io.notified(domain, { signal })
}
