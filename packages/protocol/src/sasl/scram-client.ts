import { randomBytes, timingSafeEqual } from 'node:crypto'
import { VirError } from '@covirt/core'
import { preparedText } from './prepared-text.js'
import { attributesOf, bytesOf, escapedName, malformed } from './scram-attributes.js'
import { hmac, scramKeys, sha256, xor } from './scram-keys.js'

/** Fewer make a password too easy to guess (RFC 7677, 4); more would keep us busy for as long as a server likes. */
const iterationsAllowed = { least: 4096, most: 4_000_000 } as const

/** We bind to no channel. */
const header = 'n,,'

/** The client's side of one SCRAM-SHA-256 exchange (RFC 5802, RFC 7677). What is wrong is `AUTH_FAILED`. */
export class ScramClient {
  /** The first message. */
  readonly first: string
  readonly #bare: string
  readonly #nonce: string
  readonly #password: string
  #expected: Buffer | undefined

  constructor(user: string, password: string, nonce = randomBytes(24).toString('base64')) {
    this.#nonce = nonce
    this.#password = password
    this.#bare = `n=${escapedName(preparedText(user))},r=${nonce}`
    this.first = `${header}${this.#bare}`
  }

  /** The last message, in answer to the server's first. */
  async answer(message: string): Promise<string> {
    const [nonce, salt, count] = attributesOf(message, ['r', 's', 'i'])
    if (!nonce.startsWith(this.#nonce) || nonce === this.#nonce) throw malformed('its nonce is not ours')
    const iterations = /^\d{1,9}$/.test(count) ? Number(count) : 0
    if (iterations < iterationsAllowed.least || iterations > iterationsAllowed.most)
      throw malformed(`${iterations} is not how often a password is hashed`)
    const { clientKey, serverKey } = await scramKeys(this.#password, bytesOf(salt), iterations)
    const withoutProof = `c=${Buffer.from(header).toString('base64')},r=${nonce}`
    const all = `${this.#bare},${message},${withoutProof}`
    this.#expected = hmac(serverKey, all)
    const proof = xor(clientKey, hmac(sha256(clientKey), all))
    return `${withoutProof},p=${proof.toString('base64')}`
  }

  /** Makes sure that the server knows our password, too: it has to, before it is believed. */
  check(message: string): void {
    const [signature] = attributesOf(message, ['v'])
    const bytes = bytesOf(signature)
    const expected = this.#expected
    if (expected && bytes.length === expected.length && timingSafeEqual(bytes, expected)) return
    throw new VirError('AUTH_FAILED', 'The peer has not shown that it knows our password', {
      domain: 'AUTH',
    })
  }
}
