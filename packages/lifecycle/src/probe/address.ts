import { notYet, type Probe } from './probe.js'

/** The guest has an address: by lease, by its agent, or on its interfaces. */
export const probeAddress: Probe<'address'> = async ({ family }, { io, domain, signal }) => {
  const addresses = await io.addresses(domain, { signal })
  const fits = addresses.some((each) => family === undefined || each.includes(':') === (family === 'ipv6'))
  if (!fits) throw notYet(`'${domain.name}' has no ${family ?? 'IP'} address yet`)
}
