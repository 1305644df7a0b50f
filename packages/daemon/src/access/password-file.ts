import { randomBytes } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { messageOf, VirError } from '@covirt/core'
import { writeDurably } from '@covirt/local'
import {
  formatScramVerifier,
  makeScramVerifier,
  preparedText,
  type ScramVerifier,
  scramVerifierOfNobody,
} from '@covirt/server'
import type { Passwords } from './password-document.js'

/**
 * Users with passwords, in a file that only its owner may read. It holds none of the passwords, and nothing with which
 * one could log in (see `ScramVerifier`). It is read anew for each login. `CONF_SYNTAX` where it makes no sense.
 */
export class PasswordFile {
  readonly path: string
  readonly #fallbackSecret = randomBytes(32)

  constructor(path: string) {
    this.path = path
  }

  /** The names of all users. */
  async users(): Promise<readonly string[]> {
    return [...(await this.#read()).users.keys()].sort()
  }

  /** What is kept of the passwords of all users. */
  async verifiers(): Promise<ReadonlyMap<string, ScramVerifier>> {
    return (await this.#read()).users
  }

  /** For somebody who is none of them, what no password fits. */
  async verifierOf(user: string): Promise<ScramVerifier> {
    const { users, secret } = await this.#read()
    // Made for those, too, that there are: who there is must not be seen in how long it takes.
    const nobody = scramVerifierOfNobody(secret, user)
    return users.get(user) ?? nobody
  }

  /** Adds a user, or gives one another password. `INVALID_ARG` where either is empty or cannot be seen. */
  async set(user: string, password: string): Promise<void> {
    const name = preparedText(user)
    const made = await makeScramVerifier(password)
    const { secret, users } = await this.#read()
    await this.#write({ secret, users: new Map([...users, [name, made]]) })
  }

  /** False where there is no such user. */
  async remove(user: string): Promise<boolean> {
    const { secret, users } = await this.#read()
    const rest = new Map(users)
    if (!rest.delete(preparedText(user))) return false
    await this.#write({ secret, users: rest })
    return true
  }

  async #read(): Promise<Passwords> {
    let text: string
    try {
      text = await readFile(this.path, 'utf8')
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT')
        return { secret: this.#fallbackSecret, users: new Map() }
      throw this.#unreadable(messageOf(cause), cause)
    }
    try {
      const { parsePasswords } = await import('./password-document.js')
      return parsePasswords(text)
    } catch (cause) {
      throw this.#unreadable('it is damaged', cause)
    }
  }

  async #write({ secret, users }: Passwords): Promise<void> {
    const texts = [...users].map(([user, kept]) => [user, formatScramVerifier(kept)])
    const document = { secret: secret.toString('base64'), users: Object.fromEntries(texts) }
    await mkdir(dirname(this.path), { recursive: true, mode: 0o755 })
    await writeDurably(this.path, `${JSON.stringify(document, undefined, 2)}\n`, {})
  }

  #unreadable(why: string, cause: unknown): VirError {
    return new VirError('CONF_SYNTAX', `Cannot read the passwords in ${this.path}: ${why}`, {
      domain: 'CONF',
      cause,
      hint: 'covirtd --set-password USER makes the file, once the damaged one is out of the way',
    })
  }
}
