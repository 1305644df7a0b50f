import type { Logger } from '@covirt/core'
import type { AccessPolicy, Grant } from '@covirt/server'
import type { AccessConfig, AccessRuleConfig, GrantedRole } from '../config/config-schema.js'
import type { ClientIdentity } from '../listen/connection.js'
import { type FindId, findId } from './accounts.js'
import { matchesAny } from './glob.js'

/** A rule with the ids of its names. */
interface ResolvedRule {
  readonly config: AccessRuleConfig
  /** Patterns of names that clients have logged in with. */
  readonly logins: readonly string[]
  readonly uids: readonly number[]
  readonly gids: readonly number[]
}

/**
 * The policy that a configuration describes: the first rule that names a client decides. root and the user `ownUid`
 * may do everything. A name that the host does not know names nobody, and is warned of.
 */
export async function rulePolicy(
  config: AccessConfig,
  {
    logger,
    ownUid,
    find = findId,
  }: {
    readonly logger: Logger
    readonly ownUid: number
    readonly find?: FindId
  },
): Promise<AccessPolicy> {
  const rules = await Promise.all(config.rules.map((rule) => resolveRule(rule, find, logger)))
  const otherwise: GrantedRole = config.default ?? (rules.length === 0 ? 'admin' : 'none')
  return (client: ClientIdentity) => {
    if (client.uid === 0 || client.uid === ownUid) return { role: 'admin' }
    const rule = rules.find((candidate) => isFor(candidate, client))
    return rule ? toGrant(rule.config.role, rule.config.domains) : toGrant(otherwise, undefined)
  }
}

/** Marks users of passwords among those of the host. */
const loginPrefix = 'sasl:'

async function resolveRule(config: AccessRuleConfig, find: FindId, logger: Logger): Promise<ResolvedRule> {
  const idsOf = async (database: 'passwd' | 'group', names: readonly string[] = []) => {
    const ids = await Promise.all(names.map((name) => find(database, name)))
    for (const [index, id] of ids.entries()) {
      if (id === undefined) logger.warn('an access rule names nobody', { database, name: names[index] })
    }
    return ids.filter((id) => id !== undefined)
  }
  const { users = [] } = config
  const ofLogins = users.filter((name) => name.startsWith(loginPrefix))
  return {
    config,
    logins: ofLogins.map((name) => name.slice(loginPrefix.length)),
    uids: await idsOf(
      'passwd',
      users.filter((name) => !ofLogins.includes(name)),
    ),
    gids: await idsOf('group', config.groups),
  }
}

function isFor(
  { config, logins, uids, gids }: ResolvedRule,
  { uid, gid, groups = [], certificate, sasl }: ClientIdentity,
): boolean {
  if (config.everyone) return true
  if (uid !== undefined && uids.includes(uid)) return true
  if (sasl !== undefined && matchesAny(logins, sasl)) return true
  if ([gid, ...groups].some((id) => id !== undefined && gids.includes(id))) return true
  return certificate !== undefined && config.dns !== undefined && matchesAny(config.dns, certificate)
}

function toGrant(role: GrantedRole, domains: readonly string[] | undefined): Grant | undefined {
  if (role === 'none') return undefined
  if (!domains) return { role }
  return { role, mayAccess: ({ name }) => matchesAny(domains, name), scope: JSON.stringify(domains) }
}
