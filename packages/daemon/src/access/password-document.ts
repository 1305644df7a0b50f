import { parseScramVerifier, type ScramVerifier } from '@covirt/server'
import { z } from 'zod'

/** What a file of passwords says. */
export interface Passwords {
  /** What answers for users that there are not are made from. */
  readonly secret: Buffer
  readonly users: ReadonlyMap<string, ScramVerifier>
}

const verifier = z.string().transform((text, { addIssue }) => {
  const parsed = parseScramVerifier(text)
  if (!parsed) addIssue('is not what is kept of a password')
  return parsed as ScramVerifier
})

const schema = z.strictObject({
  secret: z.base64().transform((text) => Buffer.from(text, 'base64')),
  users: z.record(z.string(), verifier),
})

/** Throws where `text` is no such document. */
export function parsePasswords(text: string): Passwords {
  const { secret, users } = schema.parse(JSON.parse(text))
  return { secret, users: new Map(Object.entries(users)) }
}
