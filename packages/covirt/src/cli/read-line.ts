import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { type Readable, Writable } from 'node:stream'
import type { CallOptions } from '@covirt/core'

/** Where a person is asked. */
export interface AskingTerminal {
  readonly input: Readable & { readonly isTTY?: boolean | undefined }
  readonly output: Writable
}

/** What the person at the terminal answers in one line; `undefined` where they will not (^D). */
export async function readLine(
  { input, output }: AskingTerminal,
  prompt: string,
  echo: boolean,
  { signal }: CallOptions,
): Promise<string | undefined> {
  // What is not to be seen goes nowhere.
  const shown = echo ? output : new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input, output: shown, terminal: true })
  if (!echo) output.write(prompt)
  lines.setPrompt(echo ? prompt : '')
  lines.prompt()
  try {
    const [line] = await Promise.race([
      once(lines, 'line', { ...(signal && { signal }) }) as Promise<[string]>,
      once(lines, 'close') as Promise<[]>,
    ])
    return line
  } finally {
    lines.close()
    if (!echo) output.write('\n')
  }
}
