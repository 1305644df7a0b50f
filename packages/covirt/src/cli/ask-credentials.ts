import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { type Readable, Writable } from 'node:stream'
import type { AskCredentials, CallOptions, Credentials } from '@covirt/core'

/** Where a person is asked. */
export interface AskingTerminal {
  readonly input: Readable & { readonly isTTY?: boolean | undefined }
  readonly output: Writable
}

/**
 * Asks the person at the terminal for name and password, once for each connection: what was said is said again when a lost
 * one is made again. `undefined` where there is nobody to ask.
 */
export function askCredentials({ input, output }: AskingTerminal): AskCredentials {
  const said = new Map<string, Credentials>()
  return async ({ uri, user }, options) => {
    const known = said.get(uri)
    if (known) return known
    if (input.isTTY !== true) return undefined
    const line = (prompt: string, echo: boolean) => readLine({ input, output }, prompt, echo, options)
    const credentials = {
      user: user ?? (await line(`User at ${uri}: `, true)),
      password: await line('Password: ', false),
    }
    said.set(uri, credentials)
    return credentials
  }
}

async function readLine(
  { input, output }: AskingTerminal,
  prompt: string,
  echo: boolean,
  { signal }: CallOptions,
): Promise<string> {
  // What is not to be seen goes nowhere.
  const shown = echo ? output : new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input, output: shown, terminal: true })
  if (!echo) output.write(prompt)
  lines.setPrompt(echo ? prompt : '')
  lines.prompt()
  try {
    const [line] = (await once(lines, 'line', { ...(signal && { signal }) })) as [string]
    return line
  } finally {
    lines.close()
    if (!echo) output.write('\n')
  }
}
