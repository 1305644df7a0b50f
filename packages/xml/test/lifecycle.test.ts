import { describe, expect, test } from '@jest/globals'
import type { AnyCodec, AnyField } from '../src/codec/codec.js'
import { duration } from '../src/codec/index.js'
import {
  formatDomain,
  type LifecycleInput,
  lifecycleNamespace,
  lifecycleOf,
  parseDomain,
  plain,
  withLifecycle,
} from '../src/index.js'
import { lifecycle } from '../src/lifecycle/declaration.js'

const domainWith = (metadata: string) =>
  parseDomain(
    `<domain type='test'>\n  <name>web</name>\n  <metadata>${metadata}</metadata>\n  <os><type>hvm</type></os>\n</domain>`,
  )

const everything = `<lifecycle xmlns='${lifecycleNamespace}'>
  <start order='10' delay='2s' attempts='3' backoff='500ms' timeout='1min 30s' restore='yes' once='no'>
    <after domain='db' until='started' on-failure='start'/>
    <after uuid='6695EB01-f6a4-8304-79aa-97f2502e193f'/>
    <requires mount='/srv' timeout='1min'/>
    <requires network='default'/>
    <requires pool='images'/>
    <ready interval='1s' timeout='60' match='any'>
      <agent interval='2s' timeout='5s'/>
      <tcp host='10.0.0.5' port='5432'/>
      <http url='http://10.0.0.5/health' status='204'/>
      <exec><arg>/bin/test</arg><arg>-e</arg><arg>/run/up</arg></exec>
      <console pattern='login: $' device='console0'/>
      <address family='ipv4'/>
      <init/>
      <notify/>
    </ready>
  </start>
  <stop action='shutdown' priority='5'>
    <try by='agent' budget='10s'/>
    <try by='destroy'/>
  </stop>
</lifecycle>`

describe('reading', () => {
  test('what the metadata say becomes a value', () => {
    const value = plain(lifecycleOf(domainWith(everything)))
    expect(value).toMatchObject({
      start: {
        order: 10,
        delayMs: 2000,
        attempts: 3,
        backoffMs: 500,
        timeoutMs: 90_000,
        restore: true,
        once: false,
        after: [
          { domain: 'db', until: 'started', onFailure: 'start' },
          { uuid: '6695eb01-f6a4-8304-79aa-97f2502e193f' },
        ],
        requires: [{ mount: '/srv', timeoutMs: 60_000 }, { network: 'default' }, { pool: 'images' }],
        ready: {
          timeoutMs: 60_000,
          match: 'any',
          agents: [{ intervalMs: 2000, timeoutMs: 5000 }],
          tcps: [{ host: '10.0.0.5', port: 5432 }],
          https: [{ url: 'http://10.0.0.5/health', status: 204 }],
          execs: [{ args: ['/bin/test', '-e', '/run/up'] }],
          consoles: [{ pattern: 'login: $', device: 'console0' }],
          addresses: [{ family: 'ipv4' }],
          inits: [{}],
          notifies: [{}],
        },
      },
      stop: {
        action: 'shutdown',
        priority: 5,
        rungs: [{ by: 'agent', budgetMs: 10_000 }, { by: 'destroy' }],
      },
    })
  })

  test('the document has every field that is declared', () => {
    const seen = new Set<AnyField>()
    const found = new Set<AnyField>()
    const collect = (codec: AnyCodec) => {
      for (const [, field] of codec.fields()) {
        if (found.has(field)) continue
        found.add(field)
        if (field.codec) collect(field.codec)
      }
    }
    collect(lifecycle as unknown as AnyCodec)
    const element = domainWith(everything).metadata?.children[0]
    if (element?.kind !== 'element') throw new Error('no element')
    const path = { enter() {}, leave() {}, error: () => new Error() }
    lifecycle.read(element, { path: path as never, seen: (field) => seen.add(field) })
    expect([...found].filter((field) => !seen.has(field)).map(({ place }) => place)).toEqual([])
  })

  test('a prefix before each name, as libvirt writes it, makes no difference', () => {
    const prefixed = domainWith(
      `<lc:lifecycle xmlns:lc='${lifecycleNamespace}'><lc:start order='3'><lc:after domain='db'/></lc:start></lc:lifecycle>`,
    )
    expect(plain(lifecycleOf(prefixed))).toMatchObject({ start: { order: 3, after: [{ domain: 'db' }] } })
  })

  test('a domain without such metadata says nothing', () => {
    expect(lifecycleOf(domainWith("<x xmlns='urn:other'/>"))).toBeUndefined()
  })

  const wrapped = (inside: string) =>
    domainWith(`<lifecycle xmlns='${lifecycleNamespace}'>${inside}</lifecycle>`)

  test.each([
    ["<strat order='1'/>", 'domain/metadata/lifecycle: <strat> is not known here'],
    ["<start ordre='1'/>", 'domain/metadata/lifecycle/start@ordre: is not known here'],
    ["<start order='first'/>", "domain/metadata/lifecycle/start@order: 'first' is not a whole number"],
    ["<start delay='soon'/>", "domain/metadata/lifecycle/start@delay: 'soon' is not a span of time"],
    ["<start delay='800000000'/>", 'domain/metadata/lifecycle/start@delay: 800000000000 ms is out of range'],
    [
      '<start><after/></start>',
      'domain/metadata/lifecycle/start/after[1]: either domain or uuid is to say which domain is meant',
    ],
    [
      "<start><requires mount='/a' pool='b'/></start>",
      'domain/metadata/lifecycle/start/requires[1]: one of mount, network and pool is to say what is meant',
    ],
    [
      "<start><ready><console pattern='('/></ready></start>",
      "domain/metadata/lifecycle/start/ready/console[1]: '(' is not a regular expression",
    ],
    [
      '<start><ready><exec/></ready></start>',
      'domain/metadata/lifecycle/start/ready/exec[1]: <arg> is missing',
    ],
    [
      '<start><ready><tcp/></ready></start>',
      'domain/metadata/lifecycle/start/ready/tcp[1]: attribute port is missing',
    ],
    [
      "<stop><try by='destroy'/><try by='save'/></stop>",
      'domain/metadata/lifecycle/stop/try[2]: nothing is left to try after destroy',
    ],
    ["<stop action='explode'/>", "domain/metadata/lifecycle/stop@action: 'explode' is not known"],
  ])('%s is refused, saying where', (inside, message) => {
    expect(() => lifecycleOf(wrapped(inside))).toThrow(
      expect.objectContaining({ code: 'XML_ERROR', message }),
    )
  })

  test('an element that is not <lifecycle> is refused', () => {
    expect(() => lifecycleOf(domainWith(`<boot xmlns='${lifecycleNamespace}'/>`))).toThrow(
      'is not <lifecycle>',
    )
  })
})

describe('writing', () => {
  test('what was written is read again', () => {
    const value: LifecycleInput = {
      start: { order: 1, after: [{ domain: 'db' }], ready: { tcps: [{ port: 80 }] } },
      stop: { rungs: [{ by: 'request', budgetMs: 1500 }] },
    }
    const text = formatDomain(
      withLifecycle(parseDomain('<domain type="test"><name>a</name></domain>'), value),
    )
    expect(plain(lifecycleOf(parseDomain(text)))).toMatchObject(value)
  })

  test('a typed edit keeps what is not declared, and other programs’ metadata', () => {
    const domain = domainWith(
      `<x xmlns='urn:other'/><lifecycle xmlns='${lifecycleNamespace}'><!-- mine --><start order='1' o:a='b' xmlns:o='urn:o'/></lifecycle>`,
    )
    const old = lifecycleOf(domain)
    const text = formatDomain(withLifecycle(domain, { ...old, start: { ...old?.start, order: 2 } }))
    expect(text).toContain("<x xmlns='urn:other'/>")
    expect(text).toContain('<!-- mine -->')
    expect(text).toMatch(/<start order=['"]2['"] o:a=['"]b['"]/)
  })

  test('it can be removed', () => {
    expect(formatDomain(withLifecycle(domainWith(everything), undefined))).not.toContain(lifecycleNamespace)
  })
})

describe('spans of time', () => {
  test.each([
    ['5', 5000],
    ['0', 0],
    ['250ms', 250],
    ['1.5s', 1500],
    ['1min 30s', 90_000],
    ['2h', 7_200_000],
    [' 3 s ', 3000],
  ])('%j', (text, ms) => {
    expect(duration.read(text)).toBe(ms)
  })

  test.each([0, 1, 999, 1000, 90_000, 3_600_000, 61_001])('%d ms survive being written', (ms) => {
    expect(duration.read(duration.write(ms))).toBe(ms)
  })

  test.each(['', '-1', '1 day', '5sec', 'ms', '1e3'])('%j is refused', (text) => {
    expect(() => duration.read(text)).toThrow()
  })

  test('a long hostile text is refused at once', () => {
    expect(() => duration.read('1'.repeat(1_000_000))).toThrow('is not a span of time')
  })
})
