import { messageOf } from '@covirt/core'
import { parse, TomlError } from 'smol-toml'
import type { z } from 'zod'
import { configSchema, type DaemonConfig } from './config-schema.js'
import { type KeyPath, lineOfKey } from './key-lines.js'

/** What is wrong in a configuration file. */
export interface ConfigProblem {
  /** In the file, from 1, where it is known. */
  readonly line: number | undefined
  /** As in the file: `tls.port`; empty where no key is to blame. */
  readonly key: string
  readonly message: string
}

/** A configuration, or everything that is wrong in it. */
export type ParsedConfig =
  | { readonly config: DaemonConfig; readonly problems: readonly [] }
  | { readonly config?: undefined; readonly problems: readonly ConfigProblem[] }

/** Reads TOML. An unknown key is a problem. Never throws. */
export function parseConfig(text: string): ParsedConfig {
  let document: unknown
  try {
    document = parse(text)
  } catch (error) {
    const [message = ''] = messageOf(error).split('\n\n')
    return { problems: [{ line: error instanceof TomlError ? error.line : undefined, key: '', message }] }
  }
  const miswritten: KeyPath[] = []
  const result = configSchema.safeParse(camelCased(document, [], miswritten))
  const problem = (path: KeyPath, message: string): ConfigProblem => ({
    line: lineOfKey(text, path),
    key: formatKey(path),
    message,
  })
  const problems = [
    ...miswritten.map((path) =>
      problem(path, 'unknown key: keys are written in lower case, with underscores'),
    ),
    ...(result.error?.issues ?? []).flatMap((issue) =>
      describeIssue(issue).map(({ path, message }) => problem(path, message)),
    ),
  ]
  if (problems.length > 0 || !result.success) return { problems: sorted(problems) }
  return { config: result.data, problems: [] }
}

function sorted(problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
  return [...problems].sort((a, b) => (a.line ?? 0) - (b.line ?? 0))
}

function describeIssue(issue: z.core.$ZodIssue): readonly { path: KeyPath; message: string }[] {
  const path = issue.path.filter((part) => typeof part !== 'symbol').map(snakeCased)
  if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }]
  const known = knownKeys(issue.path).map(snakeCased).join(', ')
  return issue.keys.map((key) => ({
    path: [...path, snakeCased(key)],
    message: `unknown key${known && `; known here: ${known}`}`,
  }))
}

/** The keys that the schema has in the table at `path`. */
function knownKeys(path: readonly PropertyKey[]): readonly string[] {
  let schema: z.ZodType = unwrapped(configSchema)
  for (const part of path) {
    const inner =
      typeof part === 'number'
        ? (schema as z.ZodArray<z.ZodType>).element
        : (schema as z.ZodObject<Record<string, z.ZodType>>).shape?.[String(part)]
    if (!inner) return []
    schema = unwrapped(inner)
  }
  return Object.keys((schema as z.ZodObject).shape ?? {})
}

function unwrapped(schema: z.ZodType): z.ZodType {
  const { innerType } = schema.def as { readonly innerType?: z.ZodType }
  return innerType ? unwrapped(innerType) : schema
}

function camelCased(value: unknown, path: KeyPath, miswritten: KeyPath[]): unknown {
  if (Array.isArray(value)) return value.map((item, index) => camelCased(item, [...path, index], miswritten))
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) => {
      const here = [...path, key]
      if (/[A-Z]/.test(key)) {
        miswritten.push(here)
        return []
      }
      const name = key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
      return [[name, camelCased(item, here, miswritten)]]
    }),
  )
}

function snakeCased<T extends PropertyKey>(key: T): T extends number ? number : string
function snakeCased(key: PropertyKey): number | string {
  return typeof key === 'number' ? key : String(key).replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

function formatKey(path: KeyPath): string {
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : index ? `.${part}` : part))
    .join('')
}
