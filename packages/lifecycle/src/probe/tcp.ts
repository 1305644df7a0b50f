import { notYet, type Probe, type ProbeContext } from './probe.js'

/** A TCP port accepts connections. */
export const probeTcp: Probe<'tcp'> = async ({ host, port }, context) => {
  await context.io.connect(host ?? (await ownAddress(context)), port, context)
}

async function ownAddress({ io, domain, signal }: ProbeContext): Promise<string> {
  const [first] = await io.addresses(domain, { signal })
  if (first !== undefined) return first
  throw notYet(`No address of '${domain.name}' is known yet`)
}
