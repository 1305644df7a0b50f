import { open } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { VirError } from '@covirt/core'

/** The header extension that names the format of the backing file (QEMU: docs/interop/qcow2.txt). */
const backingFormatExtension = 0xe2792aca
const magic = 0x514649fb
/** The header with all its extensions and the name of the backing file lies in the first cluster. */
const maxHeaderBytes = 64 * 1024
/** No chain that somebody has made on purpose is longer. */
const maxChain = 200

interface Qcow2Header {
  readonly backingFile: string | undefined
  readonly backingFormat: string | undefined
}

/**
 * Refuses a qcow2 image that is based on a file whose format nobody has written down: QEMU would guess it from
 * the content, and a guest that once had that file as a raw disk could have put there what it likes, such as
 * the name of a file of the host. Files that cannot be read are QEMU's to complain about.
 */
export async function refuseGuessedFormats(image: string): Promise<void> {
  for (let path = image, depth = 0; depth < maxChain; depth++) {
    const { backingFile, backingFormat } = (await readHeader(path)) ?? {}
    if (backingFile === undefined) return
    if (backingFormat === undefined)
      throw new VirError('OPERATION_FAILED', `'${path}' does not say which format '${backingFile}' has`, {
        domain: 'STORAGE',
        hint: `Write it down: qemu-img rebase -u -b ${backingFile} -F raw ${path} (or -F qcow2)`,
      })
    if (backingFormat !== 'qcow2' || /^[\w-]+:/.test(backingFile)) return
    path = resolve(dirname(path), backingFile)
  }
}

async function readHeader(path: string): Promise<Qcow2Header | undefined> {
  const file = await open(path, 'r').catch(() => undefined)
  if (!file) return undefined
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(maxHeaderBytes), { position: 0 })
    return parseHeader(buffer.subarray(0, bytesRead))
  } finally {
    await file.close()
  }
}

function parseHeader(bytes: Buffer): Qcow2Header | undefined {
  if (bytes.length < 104 || bytes.readUInt32BE(0) !== magic) return undefined
  const nameOffset = Number(bytes.readBigUInt64BE(8))
  const nameLength = bytes.readUInt32BE(16)
  if (nameOffset === 0 || nameLength === 0) return { backingFile: undefined, backingFormat: undefined }
  const backingFile = bytes.toString('utf8', nameOffset, nameOffset + nameLength)
  const headerLength = bytes.readUInt32BE(4) >= 3 ? bytes.readUInt32BE(100) : 72
  for (let at = headerLength; at + 8 <= bytes.length; ) {
    const type = bytes.readUInt32BE(at)
    const length = bytes.readUInt32BE(at + 4)
    if (type === backingFormatExtension)
      return { backingFile, backingFormat: bytes.toString('utf8', at + 8, at + 8 + length) }
    if (type === 0) break
    at += 8 + Math.ceil(length / 8) * 8
  }
  return { backingFile, backingFormat: undefined }
}
