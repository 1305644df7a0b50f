import type { Readable } from 'node:stream'

/** The text of `stream` from now on up to and with `wanted`. Rejects where it ends before. */
export function readUntil(stream: Readable, wanted: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let seen = ''
    const onData = (chunk: Buffer) => {
      seen += chunk.toString()
      if (!seen.includes(wanted)) return
      stream.off('data', onData).off('close', onClose)
      resolve(seen)
    }
    const onClose = () => reject(new Error(`ended after ${JSON.stringify(seen)}`))
    stream.on('data', onData).once('close', onClose)
  })
}
