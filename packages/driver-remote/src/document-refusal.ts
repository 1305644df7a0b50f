import { type ErrorCode, VirError } from '@covirt/core'

/** libvirt's words for a document that is wrong, for which the contract has one. */
const wrongDocument: readonly ErrorCode[] = ['XML_DETAIL', 'NO_NAME', 'NO_ROOT', 'NO_OS']

/** The document, where it can travel: the wire has no zero bytes, and UTF-8 no halves of characters. */
export function checkDocument(xml: string): string {
  if (!/\0|\p{Surrogate}/u.test(xml)) return xml
  throw new VirError('XML_ERROR', 'The document holds a zero byte or half a surrogate pair', {
    domain: 'XML',
  })
}

/** Refuses a document as the contract says it, with what libvirt said as the cause. */
export async function documentRefusal<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    if (!(error instanceof VirError) || !wrongDocument.includes(error.code)) throw error
    throw new VirError('XML_ERROR', error.message, { domain: error.domain, cause: error })
  }
}
