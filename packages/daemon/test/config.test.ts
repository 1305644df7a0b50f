import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { describe, expect, test } from '@jest/globals'
import { tempRoot } from '../../../test/fixtures/index.js'
import { configSchema } from '../src/config/config-schema.js'
import { defaultConfig } from '../src/config/default-config.js'
import { lineOfKey } from '../src/config/key-lines.js'
import { parseConfig } from '../src/config/parse-config.js'
import { readConfig } from '../src/config/read-config.js'

const example = readFileSync(new URL('../covirtd.toml', import.meta.url), 'utf8')
const defaults = configSchema.parse({})

/** The example with each option that is commented out (`#key = value`) in force. */
const everything = example.replace(/^#(?=[a-z_]+ = |\[)/gm, '')

test('the defaults are those of the schema', () => {
  expect(defaultConfig).toEqual(defaults)
})

describe('a file that sets nothing', () => {
  test.each([
    ['the example', example],
    ['nothing', ''],
    ['comments', '# one\r\n\t# two\n\n'],
  ])('is read without the schema: %s', async (_, text) => {
    await using root = await tempRoot()
    const path = root.join('covirtd.toml')
    await writeFile(path, text)
    await expect(readConfig(path)).resolves.toBe(defaultConfig)
  })

  test.each([
    ['a table that is there twice', '[tls]\n[tls]'],
    ['a table that nobody knows', '[tsl]'],
    ['a list of tables', '[drivers]'],
    ['a character that TOML does not have', '# \u0001'],
  ])('is refused all the same: %s', async (_, text) => {
    await using root = await tempRoot()
    const path = root.join('covirtd.toml')
    await writeFile(path, text)
    await expect(readConfig(path)).rejects.toMatchObject({ code: 'CONF_SYNTAX' })
  })
})

describe('the example file', () => {
  test('changes nothing as it is', () => {
    expect(parseConfig(example)).toEqual({ config: defaults, problems: [] })
  })

  test('is valid with every option in force', () => {
    expect(parseConfig(everything).problems).toEqual([])
  })

  test('has every option that there is', () => {
    const { config } = parseConfig(everything)
    const described = new Set(keysOf(config))
    expect(schemaKeys(configSchema).filter((key) => !described.has(key))).toEqual([])
  })

  test('shows the defaults, and examples only for what has none', () => {
    const shown: Record<string, unknown> = { ...parseConfig(everything).config }
    const differing = leaves(defaults).filter(([path]) => {
      const value = path.split('.').reduce<unknown>((table, key) => (table as never)?.[key], shown)
      return JSON.stringify(value) !== JSON.stringify(leafOf(defaults, path))
    })
    expect(differing.map(([path]) => path)).toEqual(['access.rules'])
  })
})

describe('what is wrong in a file', () => {
  test.each([
    [
      'an unknown key',
      'drivers = []\n\n[tls]\nport = 1\nkeyfile = "/x"',
      5,
      'tls.keyfile',
      /known here: .*port.*allowed_dns/,
    ],
    ['an unknown table', '[tsl]\nport = 1', 1, 'tsl', /unknown key; known here: drivers, .*sockets/],
    [
      'a value of the wrong type',
      '[limits]\n# many\nrunning_calls = "ten"',
      3,
      'limits.running_calls',
      /number/,
    ],
    ['a value out of range', '[tls]\nport = 70000', 2, 'tls.port', /65535/],
    ['a path that is not absolute', '[sockets]\npath = "sock"', 2, 'sockets.path', /absolute/],
    ['a mode that is none', '[sockets]\nmode = "rw"', 2, 'sockets.mode', /octal/],
    ['a key in camel case', '[sockets]\nreadOnly = true', 2, 'sockets.readOnly', /lower case/],
    [
      'a role that is none',
      '[[access.rules]]\neveryone = true\nrole = "read"\n[[access.rules]]\nusers = ["a"]\nrole = "root"',
      6,
      'access.rules[1].role',
      /operate/,
    ],
    [
      'a rule for nobody',
      '[access]\n[[access.rules]]\nrole = "read"',
      2,
      'access.rules[0]',
      /whom it is for/,
    ],
    ['a file that is no TOML', '[log]\nlevel = info', 2, '', /./],
    ['a key that is there twice', '[log]\nlevel = "info"\nlevel = "warn"', 3, '', /./],
  ])('%s is told with its line and key', (_what, text, line, key, message) => {
    expect(parseConfig(text).problems).toEqual([{ line, key, message: expect.stringMatching(message) }])
  })

  test('is told all at once, in the order of lines', () => {
    const { problems } = parseConfig('[tls]\nport = -1\n[log]\nlevel = "loud"\ncolour = true')
    expect(problems.map(({ line }) => line)).toEqual([2, 4, 5])
  })

  test('is told as compilers tell it', async () => {
    await using root = await tempRoot()
    const { writeFile } = await import('node:fs/promises')
    const path = root.join('covirtd.toml')
    await writeFile(path, '[tls]\nport = -1')
    await expect(readConfig(path)).rejects.toMatchObject({
      code: 'CONF_SYNTAX',
      message: expect.stringContaining(`${path}:2: tls.port: `),
    })
  })
})

test('a file that may be missing and is stands for the defaults', async () => {
  await expect(readConfig('/nowhere/covirtd.toml', { optional: true })).resolves.toEqual(defaults)
})

test('a file that was asked for and is missing is an error', async () => {
  await expect(readConfig('/nowhere/covirtd.toml')).rejects.toMatchObject({ code: 'CONF_SYNTAX' })
})

test('what it says of life cycles is checked like all else', () => {
  expect(parseConfig('[lifecycle]\nstart_timeout = 3').config?.lifecycle).toMatchObject({
    start: true,
    deadline: 300,
    startTimeout: 3,
  })
  expect(parseConfig('[lifecycle]\nuntil = "soon"').problems).toMatchObject([
    { line: 2, key: 'lifecycle.until' },
  ])
})

test('lines of keys are found in dotted keys, quoted keys and arrays of tables', () => {
  const text = 'a.b = 1\n["c d"]\ne = 2\n[[f]]\ng = 1\n[[f]]\ng = 2\n[f.h]\ni = 1'
  const lines = [
    ['a', 'b'],
    ['c d', 'e'],
    ['f', 0, 'g'],
    ['f', 1, 'g'],
    ['f', 1, 'h', 'i'],
    ['f', 1, 'nothing'],
    ['j'],
  ]
  expect(lines.map((key) => lineOfKey(text, key))).toEqual([1, 3, 5, 7, 9, 6, undefined])
})

/** Paths of all keys, indices left out. */
function keysOf(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => keysOf(item, path))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => {
    const here = path ? `${path}.${key}` : key
    return [here, ...keysOf(inner, here)]
  })
}

interface SchemaNode {
  readonly def: { readonly innerType?: SchemaNode; readonly element?: SchemaNode }
  readonly shape?: Readonly<Record<string, SchemaNode>>
}

function schemaKeys(schema: unknown, path = ''): string[] {
  const { def, shape = {} } = schema as SchemaNode
  const inner = def.innerType ?? def.element
  if (inner) return schemaKeys(inner, path)
  return Object.entries(shape).flatMap(([key, value]) => {
    const here = path ? `${path}.${key}` : key
    return [here, ...schemaKeys(value, here)]
  })
}

function leaves(value: object, path = ''): [string, unknown][] {
  return Object.entries(value).flatMap(([key, inner]): [string, unknown][] => {
    const here = path ? `${path}.${key}` : key
    const isTable = typeof inner === 'object' && inner !== null && !Array.isArray(inner)
    return isTable ? leaves(inner, here) : [[here, inner]]
  })
}

function leafOf(value: object, path: string): unknown {
  return leaves(value).find(([key]) => key === path)?.[1]
}
