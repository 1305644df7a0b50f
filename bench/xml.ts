import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { formatDomain, parseDomain } from '@covirt/xml'
import { Parser } from 'xml2js'
import type { Benchmark } from './benchmark.js'
import { pair, timed } from './measure.js'

const documents = 20

/** Parse and format of a large definition, beside what the parser alone takes. */
export const xmlRoundTrip: Benchmark = {
  name: 'xml',
  about: 'parse + format of a 300-line domain; peer: xml2js parsing it, untyped',
  goal: undefined,
  requires: () => undefined,
  run: async () => {
    const file = new URL('../packages/xml/test/fixtures/q35-full.xml', import.meta.url)
    const xml = lengthen(await readFile(fileURLToPath(file), 'utf8'))
    const { oursMs, peerMs, ratio } = await pair(
      15,
      () =>
        timed(() => {
          for (let index = 0; index < documents; index++) {
            const domain = parseDomain(xml)
            formatDomain({ ...domain, title: `number ${index}` })
          }
        }),
      () =>
        timed(async () => {
          for (let index = 0; index < documents; index++) await new Parser().parseStringPromise(xml)
        }),
    )
    return { ms: oursMs / documents, peerMs: peerMs / documents, ratio }
  },
}

/** Adds disks until it has 300 lines. */
function lengthen(xml: string): string {
  const disk = (index: number) => `
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source file='/var/lib/images/data-${index}.qcow2'/>
      <target dev='sd${String.fromCharCode(97 + index)}' bus='sata'/>
    </disk>`
  const missing = Math.ceil((300 - xml.split('\n').length) / 5)
  return xml.replace(
    '</devices>',
    `${Array.from({ length: missing }, (_, index) => disk(index)).join('')}\n  </devices>`,
  )
}
