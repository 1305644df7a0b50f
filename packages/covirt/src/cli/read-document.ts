import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { messageOf, VirError } from '@covirt/core'

const maximumBytes = 16 * 1024 * 1024

/** The text of an XML file; of standard input where `path` is `-`. `XML_ERROR` where it is too long or not UTF-8. */
export async function readDocument(
  path: string,
  options: { readonly signal: AbortSignal; readonly stdin: Readable },
): Promise<string> {
  const stream: Readable = path === '-' ? options.stdin : createReadStream(path)
  const stop = () => stream.destroy()
  options.signal.addEventListener('abort', stop, { once: true })
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readBounded(stream, path))
  } catch (cause) {
    if (cause instanceof VirError) throw cause
    if (cause instanceof TypeError)
      throw new VirError('XML_ERROR', `${path} is not UTF-8`, { domain: 'XML', cause })
    throw new VirError('OPEN_FAILED', `Cannot read ${path}: ${messageOf(cause)}`, { cause })
  } finally {
    options.signal.removeEventListener('abort', stop)
  }
}

async function readBounded(stream: Readable, path: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of stream) {
    chunks.push(chunk)
    length += chunk.length
    if (length > maximumBytes) {
      throw new VirError('XML_ERROR', `${path} is longer than ${maximumBytes} bytes`, { domain: 'XML' })
    }
  }
  return Buffer.concat(chunks)
}
