import { VirError } from '@covirt/core'

/** What RFC 4013 leaves out of names and passwords: soft hyphens, joiners, variation selectors. */
const mappedToNothing = /\u00ad|\u034f|\u1806|[\u180b-\u180d]|[\u200b-\u200d]|\u2060|[\ufe00-\ufe0f]|\ufeff/g
/** Controls, private and unassigned characters, halves of surrogate pairs; what would not be seen, or not be the same. */
const prohibited = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\p{Zl}\p{Zp}]/u

/**
 * A name or a password in the one form in which it is compared (SASLprep, RFC 4013, without its rules for text that
 * runs from right to left). `INVALID_ARG` where it is empty or holds what nobody can see.
 */
export function preparedText(text: string): string {
  const prepared = text
    .replace(/[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/g, ' ')
    .replace(mappedToNothing, '')
    .normalize('NFKC')
  if (prepared !== '' && !prohibited.test(prepared)) return prepared
  const why = prepared === '' ? 'is empty' : 'holds characters that cannot be seen'
  throw new VirError('INVALID_ARG', `A name or a password ${why}`, { domain: 'AUTH' })
}
