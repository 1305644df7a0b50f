import { VirError } from '@covirt/core'
import type { SharingDomain } from '@covirt/local'
import type { DomainXml } from '@covirt/xml'
import { changesDirectory, overlayBase, rootFilesystem } from './mounts.js'

/**
 * Throws where a container of `document` would change what another one stands on, or stand on what another one changes:
 * an overlay shows neither what was there nor what is there now. `OPERATION_INVALID`.
 */
export function checkShared(document: DomainXml, others: readonly SharingDomain[]): void {
  const root = writableRoot(document)
  const bases = basesOf(document)
  const changes = changesOf(document)
  for (const other of others) {
    const { name } = other.document
    const base = root && basesOf(other.document).find((each) => overlaps(each, root))
    if (base !== undefined)
      throw refusal(
        `'${name}' stands on ${base}, which '${document.name}' would change`,
        `Undefine '${name}' first, or start a full clone in place of '${document.name}'`,
      )
    if (!other.active) continue
    const theirs = writableRoot(other.document)
    const changing = theirs && bases.find((each) => overlaps(each, theirs))
    if (changing !== undefined)
      throw refusal(
        `'${name}' runs and changes ${changing}, which '${document.name}' stands on`,
        `Shut '${name}' down first`,
      )
    const both = changesOf(other.document).find((each) => changes.includes(each))
    if (both !== undefined)
      throw refusal(`'${name}' runs and keeps its own changes in ${both}`, 'Give each its own <source dir=…>')
  }
}

function writableRoot(document: DomainXml): string | undefined {
  const root = rootFilesystem(document)
  const isDirectory = root?.type === 'mount' || root?.type === 'bind'
  return isDirectory && !root.readonly ? root.source?.dir : undefined
}

function basesOf({ devices }: DomainXml): string[] {
  return devices.filesystems.flatMap((each) => overlayBase(each) ?? [])
}

function changesOf({ devices }: DomainXml): string[] {
  return devices.filesystems.flatMap((each) => changesDirectory(each) ?? [])
}

function overlaps(a: string, b: string): boolean {
  const [first, second] = [a, b].map((path) => `${path.replace(/\/+$/, '')}/`) as [string, string]
  return first.startsWith(second) || second.startsWith(first)
}

function refusal(message: string, hint: string): VirError {
  return new VirError('OPERATION_INVALID', message, { domain: 'LXC', hint })
}
