import type { Writable } from 'node:stream'

/** Calls `done` once `stream` has taken what was written to it, or has closed. */
export function whenTaken(stream: Writable, done: () => void): void {
  const taken = () => {
    stream.off('drain', taken)
    stream.off('close', taken)
    done()
  }
  stream.on('drain', taken)
  stream.on('close', taken)
}
