import { expect, test } from '@jest/globals'
import { capabilities } from '../src/capabilities/capabilities.js'
import type { AnyCodec, AnyField } from '../src/codec/codec.js'
import { parseDocument } from '../src/codec/document.js'
import { domain } from '../src/domain/domain.js'
import { documentText, domainNames } from './documents.js'

/** Every field that is declared below `codec`, each with the first path that leads to it. */
function declaredFields(
  codec: AnyCodec,
  path: string,
  found = new Map<AnyField, string>(),
): Map<AnyField, string> {
  for (const [key, field] of codec.fields()) {
    if (found.has(field)) continue
    const here = key === '' ? `${path}/${field.place}` : `${path}/${key}`
    found.set(field, here)
    if (field.codec !== undefined) declaredFields(field.codec, here, found)
  }
  return found
}

function unexercised(name: string, codec: AnyCodec, documents: readonly string[]): readonly string[] {
  const seen = new Set<AnyField>()
  for (const text of documents) {
    parseDocument(name, codec as typeof domain, text, { onField: (field) => seen.add(field) })
  }
  return [...declaredFields(codec, name)].filter(([field]) => !seen.has(field)).map(([, path]) => path)
}

test('every field that is declared for domains occurs in one of the documents', () => {
  expect(unexercised('domain', domain as AnyCodec, domainNames.map(documentText))).toEqual([])
})

test('every field that is declared for capabilities occurs in the document', () => {
  const documents = [documentText('capabilities')]
  expect(unexercised('capabilities', capabilities as unknown as AnyCodec, documents)).toEqual([])
})

test('a field that no document has is found', () => {
  const missing = unexercised('domain', domain as AnyCodec, [documentText('container-minimal')])
  expect(missing).toContain('domain/title')
  expect(missing).toContain("domain/devices/disks/source (type='block')")
  expect(missing).not.toContain('domain/name')
})
