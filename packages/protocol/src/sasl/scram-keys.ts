import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { preparedText } from './prepared-text.js'

const derive = promisify(pbkdf2)

/** Of SHA-256, in bytes. */
export const keyBytes = 32

/** How often a password is hashed, for whom nothing else is said: it slows down who has stolen a verifier. */
const defaultIterations = 65_536
const saltBytes = 16

/**
 * What a server keeps of a password (RFC 5802, 3): enough to know who knows it, and neither the password nor what
 * would let anyone pretend to know it.
 */
export interface ScramVerifier {
  readonly iterations: number
  readonly salt: Buffer
  readonly storedKey: Buffer
  readonly serverKey: Buffer
}

/** What only who knows the password can make. */
export interface ScramKeys {
  readonly clientKey: Buffer
  readonly serverKey: Buffer
}

/** A verifier of `password`, each time another one. `INVALID_ARG` where it is no password. */
export async function makeScramVerifier(
  password: string,
  { salt = randomBytes(saltBytes), iterations = defaultIterations }: Partial<ScramVerifier> = {},
): Promise<ScramVerifier> {
  const { clientKey, serverKey } = await scramKeys(password, salt, iterations)
  return { iterations, salt, storedKey: sha256(clientKey), serverKey }
}

/**
 * A verifier that no password fits, always the same for one name: who asks for a user that there is not is answered
 * as for one that there is.
 */
export function scramVerifierOfNobody(secret: Buffer, user: string): ScramVerifier {
  const made = (what: string) => hmac(secret, `${what}\0${user}`)
  return {
    iterations: defaultIterations,
    salt: made('salt').subarray(0, saltBytes),
    storedKey: made('stored'),
    serverKey: made('server'),
  }
}

/** The verifier as a text: `SCRAM-SHA-256$ITERATIONS:SALT$STOREDKEY:SERVERKEY`, all but the number in base64. */
export function formatScramVerifier({ iterations, salt, storedKey, serverKey }: ScramVerifier): string {
  const [a, b, c] = [salt, storedKey, serverKey].map((bytes) => bytes.toString('base64'))
  return `SCRAM-SHA-256$${iterations}:${a}$${b}:${c}`
}

/** What {@link formatScramVerifier} has written; `undefined` where it has not. */
export function parseScramVerifier(text: string): ScramVerifier | undefined {
  const match = /^SCRAM-SHA-256\$(\d{4,8}):([\w+/=]+)\$([\w+/=]+):([\w+/=]+)$/.exec(text)
  if (!match) return undefined
  const [salt, storedKey, serverKey] = match.slice(2).map((part) => Buffer.from(part, 'base64')) as [
    Buffer,
    Buffer,
    Buffer,
  ]
  if (storedKey.length !== keyBytes || serverKey.length !== keyBytes) return undefined
  return { iterations: Number(match[1]), salt, storedKey, serverKey }
}

export async function scramKeys(password: string, salt: Buffer, iterations: number): Promise<ScramKeys> {
  const salted = await derive(preparedText(password), salt, iterations, keyBytes, 'sha256')
  return { clientKey: hmac(salted, 'Client Key'), serverKey: hmac(salted, 'Server Key') }
}

export function sha256(data: Buffer): Buffer {
  return createHash('sha256').update(data).digest()
}

export function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

/** Both are as long as a key. */
export function xor(a: Buffer, b: Buffer): Buffer {
  return Buffer.from(a.map((byte, index) => byte ^ (b[index] as number)))
}
