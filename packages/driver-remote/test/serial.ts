import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Domain } from '@covirt/core'

/** How often a guest that comes up is told again: its first bytes fall on deaf ears. */
const repeatMs = 20

/** Writes a letter to the guest until it answers; at most `times`. */
export async function tell(
  domain: Domain,
  letter: string,
  answer: string,
  times = Number.POSITIVE_INFINITY,
): Promise<void> {
  const console = await domain.openConsole({ force: true })
  const over = new AbortController()
  const heard = hears(console, answer).finally(() => over.abort())
  for (let said = 0; said < times && !over.signal.aborted; said++) {
    console.write(letter)
    await sleep(repeatMs, undefined, { signal: over.signal }).catch(() => {})
  }
  await heard
  const closed = console.closed ? undefined : once(console, 'close')
  console.destroy()
  await closed
}

/** Writes a letter to the guest until it is gone: libvirt drops what it was told last where the stream ends after it. */
export async function tellUntilGone(domain: Domain, letter: string): Promise<void> {
  const console = await domain.openConsole({ force: true })
  const over = new AbortController()
  console.on('error', () => {})
  console.on('close', () => over.abort())
  console.resume()
  while (!over.signal.aborted) {
    console.write(letter)
    await sleep(repeatMs, undefined, { signal: over.signal }).catch(() => {})
  }
}

/** Resolves once `text` has come, and rejects where the stream ends before. */
function hears(stream: Duplex, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let heard = ''
    stream.on('data', (chunk: Buffer) => {
      heard += chunk.toString()
      if (heard.includes(text)) resolve()
    })
    stream.on('close', () => reject(new Error(`The console has ended without '${text}': ${heard}`)))
  })
}
