import type { AskCredentials, Credentials } from '@covirt/core'
import { type AskingTerminal, readLine } from './read-line.js'

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
    const name = user ?? (await line(`User at ${uri}: `, true))
    if (name === undefined) return undefined
    const password = await line('Password: ', false)
    if (password === undefined) return undefined
    const credentials = { user: name, password }
    said.set(uri, credentials)
    return credentials
  }
}
