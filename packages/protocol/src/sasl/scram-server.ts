import { randomBytes, timingSafeEqual } from 'node:crypto'
import { VirError } from '@covirt/core'
import { preparedText } from './prepared-text.js'
import { attributesOf, bytesOf, malformed, unescapedName } from './scram-attributes.js'
import { hmac, keyBytes, type ScramVerifier, sha256, xor } from './scram-keys.js'

/** What is known of a user's password. Somebody unknown has a verifier, too, which no password fits. */
export type FindVerifier = (user: string) => ScramVerifier | Promise<ScramVerifier>

interface Challenge {
  readonly user: string
  readonly header: string
  readonly nonce: string
  /** What both sides have said so far. */
  readonly said: string
  readonly verifier: ScramVerifier
}

/**
 * The server's side of one SCRAM-SHA-256 exchange (RFC 5802, RFC 7677), without channel binding. Whatever is wrong is
 * `AUTH_FAILED`.
 */
export class ScramServer {
  readonly #find: FindVerifier
  readonly #nonce: string
  #challenge: Challenge | undefined

  constructor(find: FindVerifier, nonce = randomBytes(24).toString('base64')) {
    this.#find = find
    this.#nonce = nonce
  }

  /** Whether the client's first message has been answered. */
  get started(): boolean {
    return this.#challenge !== undefined
  }

  /** Takes the client's first message and answers it. Called once. */
  async start(message: string): Promise<string> {
    const [, header, bare] = /^([ny],[^,]*,)(.+)$/s.exec(message) ?? []
    // Who would bind to a channel was offered no such thing.
    if (header === undefined || bare === undefined) throw malformed('it does not begin as it has to')
    const [name, clientNonce] = attributesOf(bare, ['n', 'r'])
    const user = nameOf(name)
    const [, forWhom = ''] = header.split(',')
    if (forWhom !== '' && nameOf(attributesOf(forWhom, ['a'])[0]) !== user)
      throw new VirError('AUTH_FAILED', `'${user}' cannot act for somebody else`, { domain: 'AUTH' })
    if (!/^[\x21-\x2b\x2d-\x7e]{8,256}$/.test(clientNonce)) throw malformed('its nonce is none')
    const verifier = await this.#find(user)
    const nonce = clientNonce + this.#nonce
    const answer = `r=${nonce},s=${verifier.salt.toString('base64')},i=${verifier.iterations}`
    this.#challenge = { user, header, nonce, verifier, said: `${bare},${answer}` }
    return answer
  }

  /** Takes the client's last message; returns who it is, by what that was seen, and what proves to the client who we are. */
  finish(message: string): {
    readonly user: string
    readonly verifier: ScramVerifier
    readonly answer: string
  } {
    const challenge = this.#challenge
    this.#challenge = undefined
    if (!challenge) throw malformed('it comes before the first one')
    const { user, header, nonce, said, verifier } = challenge
    const [withoutProof = '', proofText] = splitProof(message)
    const [binding, echoed] = attributesOf(withoutProof, ['c', 'r'])
    if (bytesOf(binding).toString() !== header || echoed !== nonce)
      throw malformed('it does not belong to the first one')
    const all = `${said},${withoutProof}`
    const proof = bytesOf(proofText)
    const clientKey = proof.length === keyBytes ? xor(proof, hmac(verifier.storedKey, all)) : Buffer.alloc(0)
    if (!timingSafeEqual(sha256(clientKey), verifier.storedKey))
      throw new VirError('AUTH_FAILED', 'The name or the password is wrong', { domain: 'AUTH' })
    return { user, verifier, answer: `v=${hmac(verifier.serverKey, all).toString('base64')}` }
  }
}

/** The proof is the last attribute. */
function splitProof(message: string): readonly [string, string] {
  const at = message.lastIndexOf(',p=')
  if (at < 0) throw malformed("'p=' is missing")
  return [message.slice(0, at), message.slice(at + 3)]
}

function nameOf(text: string): string {
  try {
    return preparedText(unescapedName(text))
  } catch (cause) {
    throw malformed(cause instanceof Error ? cause.message : 'a name is none')
  }
}
