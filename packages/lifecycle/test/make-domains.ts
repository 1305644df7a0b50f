import { createHash } from 'node:crypto'
import { lifecycleDefaults, type PlanDomain, resolvePolicy } from '@covirt/lifecycle'
import { lifecycleNamespace, lifecycleOf, parseDomain } from '@covirt/xml'

/** A uuid that a name always gets. */
export function uuidOf(name: string): string {
  const digits = createHash('sha256').update(name).digest('hex').slice(0, 32)
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

/** The document of a test domain with this inside its life-cycle metadata. */
export function domainXml(name: string, lifecycle = '', extra = ''): string {
  return `<domain type='test'><name>${name}</name><uuid>${uuidOf(name)}</uuid>
    <metadata><lifecycle xmlns='${lifecycleNamespace}'>${lifecycle}</lifecycle></metadata>
    <os><type>hvm</type></os>${extra}</domain>`
}

/** A domain to plan with: marked to be started, off, persistent, but for what `changes` say. */
export function planDomain(name: string, lifecycle = '', changes: Partial<PlanDomain> = {}): PlanDomain {
  return {
    ref: { uuid: uuidOf(name), name },
    active: false,
    autostart: true,
    persistent: true,
    policy: resolvePolicy(lifecycleOf(parseDomain(domainXml(name, lifecycle))), lifecycleDefaults),
    ...changes,
  }
}
