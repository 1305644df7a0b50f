import { readFile } from 'node:fs/promises'
import { createRequire, isBuiltin } from 'node:module'
import { transform } from '@swc/core'

interface Part {
  readonly id: number
  code: string
  /** What the part calls each of those that it imports. */
  readonly imports: Map<string, number>
}

/**
 * A program in TypeScript with all of the repository that it imports, as one CommonJS file that Node loads in a small part of
 * the time; other packages stay where they are. No part may wait for anything while it is loaded.
 */
export async function oneFile(entry: string): Promise<string> {
  const parts = new Map<string, Part>()
  const add = async (path: string): Promise<number> => {
    const known = parts.get(path)
    if (known) return known.id
    const part: Part = { id: parts.size, code: '', imports: new Map() }
    parts.set(path, part)
    part.code = await commonJs(path)
    const required = [...part.code.matchAll(/\brequire\("([^"]+)"\)/g)].map(([, name]) => name as string)
    for (const name of new Set(required)) {
      const target = resolve(name, path)
      if (target !== undefined) part.imports.set(name, await add(target))
    }
    return part.id
  }
  await add(entry)
  const table = [...parts].map(([path, { code, imports }]) => {
    const names = JSON.stringify(Object.fromEntries(imports))
    return `[${JSON.stringify(path)}, ${names}, function (exports, require, __filename) {${code}\n}]`
  })
  return `const { createRequire } = require('node:module')
const parts = [${table.join(',\n')}]
const loaded = new Map()
function load(id) {
  if (loaded.has(id)) return loaded.get(id)
  const [path, names, run] = parts[id]
  const exports = {}
  loaded.set(id, exports)
  let own
  const find = (name) => (name in names ? load(names[name]) : (own ??= createRequire(path))(name))
  run(exports, find, path)
  return exports
}
load(0)
`
}

/**
 * A CommonJS file that runs the one at `path`. The first run writes what V8 has compiled next to it; later ones load
 * that, in half the time.
 */
export function compiledOnce(path: string): string {
  return `const { existsSync, readFileSync, writeFileSync } = require('node:fs')
const { Script } = require('node:vm')
const filename = ${JSON.stringify(path)}
const cache = filename + '.compiled'
const cachedData = existsSync(cache) ? readFileSync(cache) : undefined
const script = new Script('(function (require) {' + readFileSync(filename, 'utf8') + '})', { filename, cachedData })
script.runInThisContext()(require)
if (cachedData === undefined) process.on('exit', () => writeFileSync(cache, script.createCachedData()))
`
}

/** Where a module of the repository is; `undefined` for one that stays where it is. */
function resolve(name: string, from: string): string | undefined {
  if (isBuiltin(name)) return undefined
  const path = createRequire(from).resolve(name)
  return path.includes('/node_modules/') ? undefined : path
}

async function commonJs(path: string): Promise<string> {
  const { code } = await transform(await readFile(path, 'utf8'), {
    filename: path,
    jsc: {
      parser: path.endsWith('.ts') ? { syntax: 'typescript' } : { syntax: 'ecmascript' },
      target: 'es2022',
    },
    module: { type: 'commonjs' },
    swcrc: false,
    sourceMaps: false,
  })
  return code
}
