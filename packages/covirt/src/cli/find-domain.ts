import { type CallOptions, type Connection, type Domain, isVirError, VirError } from '@covirt/core'

const uuidPattern = /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i
const idPattern = /^[1-9][0-9]{0,9}$/

/** The domain that a person means by `text`: an id, a uuid or a name, tried in this order as virsh does. */
export async function findDomain(
  { domains }: Connection,
  text: string,
  options: CallOptions,
): Promise<Domain> {
  const attempts = [
    ...(idPattern.test(text) ? [() => domains.lookupById(Number(text), options)] : []),
    ...(uuidPattern.test(text) ? [() => domains.lookupByUuid(text, options)] : []),
    () => domains.lookupByName(text, options),
  ]
  for (const attempt of attempts) {
    try {
      return await attempt()
    } catch (error) {
      if (!isVirError(error, 'NO_DOMAIN')) throw error
    }
  }
  throw new VirError('NO_DOMAIN', `There is no domain '${text}'`, {
    domain: 'DOM',
    hint: "'covirt list --all' shows the domains that there are",
  })
}
