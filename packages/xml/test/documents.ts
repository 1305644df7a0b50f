import { readdirSync, readFileSync } from 'node:fs'

const folder = new URL('./fixtures/', import.meta.url)

/** The bytes of a document in `fixtures/`. */
export function documentBytes(name: string): Uint8Array {
  return readFileSync(new URL(`${name}.xml`, folder))
}

/** The text of a document in `fixtures/`. */
export function documentText(name: string): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(documentBytes(name))
}

export const domainNames: readonly string[] = readdirSync(folder)
  .map((file) => file.replace(/\.xml$/, ''))
  .filter((name) => name !== 'capabilities')
