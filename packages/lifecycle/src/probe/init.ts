import { notYet, type Probe } from './probe.js'

/** The guest's first program listens for the signal that tells it to go down, so that it will not be lost. */
export const probeInit: Probe<'init'> = async (_spec, { io, domain, signal }) => {
  if (await io.initListens(domain, { signal })) return
  throw notYet(`The first program of '${domain.name}' does not listen for signals yet`)
}
