import { spawn } from 'node:child_process'
import { Duplex } from 'node:stream'
import { VirError } from '@covirt/core'

/** How much of what a program says on its standard error is kept: the end. */
const keptChars = 4096

/**
 * Runs a program whose standard input and output lead to the peer. Where it ends by itself, the stream fails with
 * `NO_CONNECT` and what the program has said; destroying the stream ends the program.
 */
export function throughProgram(command: string, args: readonly string[]): Duplex {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-keptChars)
  })
  const stream = new Duplex({
    read: () => void child.stdout.resume(),
    write: (chunk, _encoding, done) => void child.stdin.write(chunk, () => done()),
    final: (done) => void child.stdin.end(() => done()),
    destroy: (error, done) => {
      child.kill()
      done(error)
    },
  })
  const fail = (why: string, cause?: unknown) => {
    const words = said.trim()
    const message = `'${command}' does not lead to the peer: ${words || why}`
    stream.destroy(new VirError('NO_CONNECT', message, { domain: 'RPC', cause }))
  }
  child.stdout.on('data', (chunk: Buffer) => {
    if (!stream.push(chunk)) child.stdout.pause()
  })
  // What could not be written is told by the program's end, in its own words.
  child.stdin.on('error', () => {})
  child.on('error', (error) => fail(error.message, error))
  child.on('close', (code, signal) => {
    fail(signal === null ? `it has ended with ${code}` : `it was ended by ${signal}`)
  })
  return stream
}
