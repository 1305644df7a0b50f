import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'

const repository = join(dirname(fileURLToPath(import.meta.url)), '..')

interface Rule {
  /** The package's sources. */
  readonly sources: string
  /** What they may import besides Node's own modules. */
  readonly may: readonly string[]
  /** Of these, what one file alone may import. */
  readonly inOneFile?: readonly string[]
}

const localDriver = ['@covirt/core', '@covirt/xml', '@covirt/local']

/** Who may import whom: the table of docs/architecture.md. */
const house: Readonly<Record<string, Rule>> = {
  core: { sources: 'packages/core/src', may: ['eventemitter3'], inOneFile: ['eventemitter3'] },
  xml: {
    sources: 'packages/xml/src',
    may: ['@covirt/core', 'xml2js/lib/parser.js'],
    inOneFile: ['xml2js/lib/parser.js'],
  },
  local: { sources: 'packages/local/src', may: ['@covirt/core', '@covirt/xml'] },
  contract: { sources: 'packages/contract/src', may: ['@covirt/core', '@jest/globals'] },
  'driver-test': {
    sources: 'packages/driver-test/src',
    may: [...localDriver, 'inversify'],
    inOneFile: ['inversify'],
  },
  'driver-lxc': {
    sources: 'packages/driver-lxc/src',
    may: [...localDriver, '@covirt/native-lxc', 'inversify'],
    inOneFile: ['@covirt/native-lxc', 'inversify'],
  },
  'driver-qemu': {
    sources: 'packages/driver-qemu/src',
    may: [...localDriver, 'inversify'],
    inOneFile: ['inversify'],
  },
  'driver-host': { sources: 'packages/driver-host/src', may: ['@covirt/core'] },
  'driver-remote': { sources: 'packages/driver-remote/src', may: ['@covirt/core', '@covirt/protocol'] },
  protocol: { sources: 'packages/protocol/src', may: ['@covirt/core'] },
  server: { sources: 'packages/server/src', may: ['@covirt/core', '@covirt/xml', '@covirt/protocol'] },
  lifecycle: { sources: 'packages/lifecycle/src', may: ['@covirt/core', '@covirt/xml'] },
  'native-lxc': { sources: 'native/lxc/ts', may: [] },
  daemon: {
    sources: 'packages/daemon/src',
    may: [
      ...localDriver,
      '@covirt/driver-test/module',
      '@covirt/driver-lxc/module',
      '@covirt/driver-qemu/module',
      '@covirt/driver-host',
      '@covirt/server',
      '@covirt/lifecycle',
      '@covirt/native-lxc',
      'inversify',
      'smol-toml',
      'zod',
    ],
    inOneFile: ['@covirt/native-lxc', 'smol-toml'],
  },
  covirt: {
    sources: 'packages/covirt/src',
    may: [
      '@covirt/core',
      '@covirt/xml',
      '@covirt/local',
      '@covirt/local/served',
      '@covirt/driver-test',
      '@covirt/driver-lxc',
      '@covirt/driver-qemu',
      '@covirt/driver-host',
      '@covirt/driver-remote',
      '@covirt/lifecycle',
      'commander',
    ],
  },
}

interface Import {
  /** Relative to the repository. */
  readonly file: string
  readonly specifier: string
  readonly lazy: boolean
  readonly typeOnly: boolean
}

const importPattern =
  /(?:^|\n)\s*(import|export)(\s+type)?\b[^'"`;]*?from\s*['"]([^'"]+)['"]|(?:^|\n)\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g

function importsBelow(sources: string): readonly Import[] {
  const directory = join(repository, sources)
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  )
  return files.flatMap((name) => {
    const path = join(directory, name)
    return [...readFileSync(path, 'utf8').matchAll(importPattern)].map((match) => ({
      file: relative(repository, path),
      specifier: (match[3] ?? match[4] ?? match[5]) as string,
      lazy: match[5] !== undefined,
      typeOnly: match[2] !== undefined,
    }))
  })
}

const foreign = ({ specifier }: Import) => !specifier.startsWith('.') && !specifier.startsWith('node:')

describe.each(Object.entries(house))('%s', (_name, rule) => {
  const imports = importsBelow(rule.sources)

  test('has sources', () => {
    expect(imports.length).toBeGreaterThan(0)
  })

  test('imports only what the table allows', () => {
    const strangers = imports.filter(foreign).filter(({ specifier }) => !rule.may.includes(specifier))
    expect(strangers).toEqual([])
  })

  test('imports nothing from inside another package', () => {
    const outside = imports.filter(
      ({ file, specifier }) =>
        specifier.startsWith('.') && relative(rule.sources, join(dirname(file), specifier)).startsWith('..'),
    )
    expect(outside).toEqual([])
  })

  test('keeps each boundary to one file', () => {
    const crowded = (rule.inOneFile ?? []).filter((specifier) => {
      const files = imports.filter((each) => each.specifier === specifier).map(({ file }) => file)
      return new Set(files).size > 1
    })
    expect(crowded).toEqual([])
  })
})

test('every package is in the table', () => {
  const packages = [...readdirSync(join(repository, 'packages')), 'native-lxc']
  expect(packages.sort()).toEqual(Object.keys(house).sort())
})

test('the umbrella loads a driver only when a URI asks for it', () => {
  const eager = importsBelow('packages/covirt/src').filter(
    ({ specifier, lazy, typeOnly }) => specifier.startsWith('@covirt/driver-') && !lazy && !typeOnly,
  )
  expect(eager).toEqual([])
})

test('no package is imported by one that it imports', () => {
  const names = new Map(
    Object.keys(house).map((name) => [name === 'covirt' ? name : `@covirt/${name}`, name]),
  )
  const below = (name: string, seen: readonly string[] = []): readonly string[] => {
    if (seen.includes(name)) return [...seen, name]
    for (const specifier of house[name]?.may ?? []) {
      const next = names.get(specifier)
      const cycle = next === undefined ? [] : below(next, [...seen, name])
      if (cycle.length > 0) return cycle
    }
    return []
  }
  expect(Object.keys(house).flatMap((name) => below(name))).toEqual([])
})
