import { readFile } from 'node:fs/promises'
import { messageOf, VirError } from '@covirt/core'
import type { DaemonConfig } from './config-schema.js'
import { defaultConfig } from './default-config.js'
import type { ConfigProblem } from './parse-config.js'

/**
 * The configuration in the file `path`; where it may be missing and is, the defaults. `CONF_SYNTAX`, with every
 * problem in the message, one a line.
 */
export async function readConfig(
  path: string,
  { optional = false }: { readonly optional?: boolean } = {},
): Promise<DaemonConfig> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    if (optional && (cause as NodeJS.ErrnoException).code === 'ENOENT') return defaultConfig
    throw new VirError('CONF_SYNTAX', `Cannot read ${path}: ${messageOf(cause)}`, { domain: 'CONF', cause })
  }
  if (saysNothing(text)) return defaultConfig
  const { parseConfig } = await import('./parse-config.js')
  const { config, problems } = parseConfig(text)
  if (config) return config
  throw new VirError('CONF_SYNTAX', problems.map((problem) => formatProblem(path, problem)).join('\n'), {
    domain: 'CONF',
    hint: 'covirtd.toml, which comes with covirt, describes every option',
  })
}

const comment = /^[ \t]*(?:#[\t\x20-\x7e\u0080-\ufffd]*)?\r?$/

/** Whether there is no more in it than comments and the headers of tables: covirtd.toml as it comes. What reads more takes long to load. */
function saysNothing(text: string): boolean {
  const tables = Object.entries(defaultConfig).flatMap(([name, value]) =>
    Array.isArray(value) ? [] : `[${name}]`,
  )
  const lines = text.split('\n').filter((line) => !comment.test(line))
  return new Set(lines).size === lines.length && lines.every((line) => tables.includes(line))
}

/** As compilers say it: `FILE:LINE: KEY: MESSAGE`. */
function formatProblem(path: string, { line, key, message }: ConfigProblem): string {
  return [line === undefined ? path : `${path}:${line}`, ...(key ? [key] : []), message].join(': ')
}
