import {
  type ErrorCode,
  type ErrorDomain,
  errorDomainNumbers,
  errorNumbers,
  messageOf,
  VirError,
} from '@covirt/core'
import { domain, network } from './values/index.js'
import { type Codec, int, mapped, optional, string, struct, type XdrWriter } from './xdr/index.js'

/** libvirt's record of an error, in the order in which it travels. */
const record = struct({
  code: int,
  domain: int,
  message: optional(string),
  level: int,
  relatedDomain: optional(domain),
  str1: optional(string),
  str2: optional(string),
  str3: optional(string),
  int1: int,
  int2: int,
  relatedNetwork: optional(network),
})

/** VIR_ERR_ERROR: neither a warning nor nothing at all. */
const levelError = 2
/** Mark our use of the last two of libvirt's three free texts; its own programs show none of them. */
const hintPrefix = 'hint: '
const causePrefix = 'cause: '

const codes = invert<ErrorCode>(errorNumbers)
const domains = invert<ErrorDomain>(errorDomainNumbers)

/** How errors travel: anything that was thrown can be sent, and a {@link VirError} is received. */
export interface ErrorCodec extends Codec<VirError> {
  encode(writer: XdrWriter, error: unknown): void
}

/**
 * libvirt's error record. What is no {@link VirError} goes as `INTERNAL_ERROR`. A number that has no name here is
 * received as `INTERNAL_ERROR`, or as the domain `NONE`.
 */
export const errorRecord: ErrorCodec = mapped<Parameters<typeof record.encode>[1], VirError>(
  record,
  ({ code, domain, message, str2, str3 }) =>
    new VirError(codes.get(code) ?? 'INTERNAL_ERROR', message ?? 'The other end gave no reason', {
      domain: domains.get(domain) ?? 'NONE',
      ...(str3?.startsWith(hintPrefix) ? { hint: str3.slice(hintPrefix.length) } : {}),
      ...(str2?.startsWith(causePrefix) ? { cause: systemError(str2.slice(causePrefix.length)) } : {}),
    }),
  (error: unknown) => {
    const known = error instanceof VirError ? error : new VirError('INTERNAL_ERROR', messageOf(error))
    const message = known.message.replaceAll('\0', '').slice(0, 100_000)
    return {
      code: known.number,
      domain: known.domainNumber,
      message,
      level: levelError,
      str1: message,
      str2: systemCode(known.cause),
      str3: known.hint === undefined ? undefined : `${hintPrefix}${known.hint.replaceAll('\0', '')}`,
      int1: 0,
      int2: 0,
    }
  },
)

/** What the system has refused travels by its name (errno(3)); nothing else of a cause is the other end's business. */
function systemCode(cause: unknown): string | undefined {
  const { code } = (cause instanceof Error ? cause : {}) as NodeJS.ErrnoException
  return typeof code === 'string' && /^E[A-Z0-9]{1,20}$/.test(code) ? `${causePrefix}${code}` : undefined
}

function systemError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code })
}

function invert<K extends string>(numbers: Readonly<Record<K, number>>): ReadonlyMap<number, K> {
  return new Map(Object.entries(numbers).map(([name, number]) => [number as number, name as K]))
}
