import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'

/**
 * A password from standard input: its first line. At a terminal it is asked for with `prompt`, and not shown. The empty
 * string where there is none.
 */
export async function readPassword(prompt: string): Promise<string> {
  const { stdin, stderr } = process
  const terminal = stdin.isTTY === true
  if (terminal) stderr.write(prompt)
  // What is typed goes nowhere.
  const output = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: stdin, output, terminal })
  try {
    for await (const line of lines) return line
    return ''
  } finally {
    lines.close()
    if (terminal) stderr.write('\n')
  }
}
