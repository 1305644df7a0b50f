import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import { type DomainXml, formatDomain, parseDomain, withLifecycle } from '@covirt/xml'
import { fromNative } from '../config/from-native.js'
import type { Container } from '../native.js'
import { nativeStart } from './native-start.js'

/** What the native configuration of a container says, as far as a definition can (see {@link fromNative}). */
export async function nativeDefinition(
  container: Container,
): Promise<{ readonly document: DomainXml & { readonly uuid: string }; readonly autostart: boolean }> {
  const { path, name } = container
  const config = await readFile(join(path, name, 'config'), 'utf8')
  const { document } = fromNative(config, { name, memoryKib: BigInt(Math.floor(totalmem() / 1024)) })
  const uuid = uuidOf(container)
  const { autostart, order, delayMs } = nativeStart(config)
  const plain = parseDomain(formatDomain({ ...document, uuid }))
  const isPlain = order === undefined && delayMs === undefined
  return {
    document: { ...(isPlain ? plain : withLifecycle(plain, { start: { order, delayMs } })), uuid },
    autostart,
  }
}

/** The same at each look, and no other container's. */
function uuidOf({ path, name }: Container): string {
  const digest = createHash('sha1').update(`covirt:lxc:${path}/${name}`).digest()
  // The bits by which RFC 4122 marks a uuid that was made of a name.
  digest.writeUInt8(((digest[6] ?? 0) & 0x0f) | 0x50, 6)
  digest.writeUInt8(((digest[8] ?? 0) & 0x3f) | 0x80, 8)
  return digest.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
