import { type DomainRef, requireRole, type SnapshotInfo, VirError } from '@covirt/core'
import type { Call, Handlers } from '../handler.js'
import { checkFlags, hasFlag } from './flags.js'

/** virDomainSnapshotCreateFlags: a snapshot is always all or nothing, and its document always checked. */
const create = { diskOnly: 16, atomic: 128, validate: 512 }
/** virDomainSnapshotXMLFlags. */
const xmlSecure = 1
/** virDomainSnapshotRevertFlags: going back is never risky here, and there are no variables of firmwares apart. */
const revert = { running: 1, paused: 2, force: 4, resetNvram: 8 }
/** virDomainSnapshotDeleteFlags. */
const remove = { children: 1, childrenOnly: 4 }
/** virDomainSnapshotListFlags; the first means roots of a domain, and all descendants of a snapshot. */
const list = {
  rootsOrDescendants: 1,
  leaves: 4,
  noLeaves: 8,
  noMetadata: 16,
  inactive: 32,
  active: 64,
  diskOnly: 128,
  external: 512,
}

export const domainSnapshotHandlers = {
  domainSnapshotCreateXml: async ({ driver, options }, { domain, xml, flags }) => {
    checkFlags(flags, create.diskOnly | create.atomic | create.validate, 'taking a snapshot')
    const diskOnly = hasFlag(flags, create.diskOnly)
    const { name } = await requireRole(driver, 'snapshots').createSnapshot(domain, xml, {
      ...options,
      diskOnly,
    })
    return { snapshot: { name, domain } }
  },
  domainSnapshotGetXmlDesc: async (call, { snapshot, flags }) => {
    checkFlags(flags, xmlSecure, "a snapshot's document")
    const secure = hasFlag(flags, xmlSecure)
    if (secure) call.require('admin')
    const { driver, options } = call
    const { domain, name } = snapshot
    return {
      xml: await requireRole(driver, 'snapshots').getSnapshotXml(domain, name, { ...options, secure }),
    }
  },
  domainSnapshotNum: async (call, { domain, flags }) => ({
    count: chosen(await all(call, domain), flags).length,
  }),
  domainSnapshotListNames: async (call, { domain, max, flags }) => ({
    names: namesOf(chosen(await all(call, domain), flags), max),
  }),
  domainListAllSnapshots: async (call, { domain, needResults, flags }) =>
    listed(domain, chosen(await all(call, domain), flags), needResults),
  domainSnapshotNumChildren: async (call, { snapshot, flags }) => ({
    count: (await childrenOf(call, snapshot, flags)).length,
  }),
  domainSnapshotListChildrenNames: async (call, { snapshot, max, flags }) => ({
    names: namesOf(await childrenOf(call, snapshot, flags), max),
  }),
  domainSnapshotListAllChildren: async (call, { snapshot, needResults, flags }) =>
    listed(snapshot.domain, await childrenOf(call, snapshot, flags), needResults),
  domainSnapshotLookupByName: async (call, { domain, name }) => ({
    snapshot: { name: (await find(call, domain, name)).name, domain },
  }),
  domainHasCurrentSnapshot: async (call, { domain }) => ({
    result: (await all(call, domain)).some(({ current }) => current) ? 1 : 0,
  }),
  domainSnapshotCurrent: async (call, { domain }) => {
    const current = (await all(call, domain)).find((each) => each.current)
    if (current) return { snapshot: { name: current.name, domain } }
    throw noSnapshot(`Domain '${domain.name}' has no current snapshot`)
  },
  domainSnapshotGetParent: async (call, { snapshot }) => {
    const { parent } = await find(call, snapshot.domain, snapshot.name)
    if (parent !== undefined) return { snapshot: { name: parent, domain: snapshot.domain } }
    throw noSnapshot(`Snapshot '${snapshot.name}' has no parent`)
  },
  domainSnapshotIsCurrent: async (call, { snapshot }) => ({
    current: (await find(call, snapshot.domain, snapshot.name)).current,
  }),
  domainSnapshotHasMetadata: async (call, { snapshot }) => {
    await find(call, snapshot.domain, snapshot.name)
    return { metadata: true }
  },
  domainRevertToSnapshot: async ({ driver, options }, { snapshot: { domain, name }, flags }) => {
    const { running, paused, force, resetNvram } = revert
    checkFlags(flags, running | paused | force | resetNvram, 'going back to a snapshot')
    await requireRole(driver, 'snapshots').revertToSnapshot(domain, name, {
      ...options,
      running: hasFlag(flags, running),
      paused: hasFlag(flags, paused),
    })
  },
  domainSnapshotDelete: async ({ driver, options }, { snapshot: { domain, name }, flags }) => {
    checkFlags(flags, remove.children | remove.childrenOnly, 'deleting a snapshot')
    const only = hasFlag(flags, remove.childrenOnly)
    const children = only ? 'only' : hasFlag(flags, remove.children) ? 'too' : 'keep'
    await requireRole(driver, 'snapshots').deleteSnapshot(domain, name, { ...options, children })
  },
} satisfies Handlers

/** Deletes all snapshots of a domain. */
export async function deleteSnapshots(call: Call, domain: DomainRef): Promise<void> {
  const roots = (await all(call, domain)).filter(({ parent }) => parent === undefined)
  for (const { name } of roots)
    await requireRole(call.driver, 'snapshots').deleteSnapshot(domain, name, {
      ...call.options,
      children: 'too',
    })
}

/** None where the driver takes no snapshots. */
async function all({ driver, options }: Call, domain: DomainRef): Promise<readonly SnapshotInfo[]> {
  if (driver.snapshots) return driver.snapshots.listSnapshots(domain, options)
  await driver.lookupDomain({ uuid: domain.uuid }, options)
  return []
}

async function find(call: Call, domain: DomainRef, name: string): Promise<SnapshotInfo> {
  const found = (await all(call, domain)).find((each) => each.name === name)
  if (found) return found
  throw noSnapshot(`Domain '${domain.name}' has no snapshot named '${name}'`)
}

async function childrenOf(
  call: Call,
  { domain, name }: { readonly domain: DomainRef; readonly name: string },
  flags: number,
): Promise<readonly SnapshotInfo[]> {
  await find(call, domain, name)
  const snapshots = await all(call, domain)
  const below = new Set([name])
  // Parents come before their children.
  for (const each of snapshots)
    if (each.parent !== undefined && below.has(each.parent) && hasFlag(flags, list.rootsOrDescendants))
      below.add(each.name)
  const children = snapshots.filter(({ parent }) => parent !== undefined && below.has(parent))
  return chosen(children, flags & ~list.rootsOrDescendants)
}

/** Those that pass the flags of a list; of each group of flags none or all do not filter. */
function chosen(snapshots: readonly SnapshotInfo[], flags: number): readonly SnapshotInfo[] {
  if (hasFlag(flags, list.noMetadata | list.external)) return []
  const parents = new Set(snapshots.map(({ parent }) => parent))
  const states = [
    [list.inactive, 'shutoff'],
    [list.active, 'running'],
    [list.active, 'paused'],
    [list.diskOnly, 'disk-snapshot'],
  ] as const
  const wanted = states.filter(([flag]) => hasFlag(flags, flag)).map(([, state]) => state)
  return snapshots.filter(
    ({ name, parent, state }) =>
      (!hasFlag(flags, list.rootsOrDescendants) || parent === undefined) &&
      (!hasFlag(flags, list.leaves) || !parents.has(name) || hasFlag(flags, list.noLeaves)) &&
      (!hasFlag(flags, list.noLeaves) || parents.has(name) || hasFlag(flags, list.leaves)) &&
      (wanted.length === 0 || wanted.some((each) => each === state)),
  )
}

function namesOf(snapshots: readonly SnapshotInfo[], max: number): readonly string[] {
  return snapshots.map(({ name }) => name).slice(0, Math.max(0, max))
}

function listed(domain: DomainRef, snapshots: readonly SnapshotInfo[], needResults: boolean) {
  return {
    snapshots: needResults ? snapshots.map(({ name }) => ({ name, domain })) : [],
    count: snapshots.length,
  }
}

function noSnapshot(message: string): VirError {
  return new VirError('NO_DOMAIN_SNAPSHOT', message, { domain: 'DOMAIN_SNAPSHOT' })
}
