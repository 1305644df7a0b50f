import { createContext, Script } from 'node:vm'
import {
  type ConsoleOptions,
  type ConsoleRole,
  type ConsoleStream,
  type DomainRef,
  isVirError,
  messageOf,
  requireRole,
  VirError,
} from '@covirt/core'
import type { Probe } from './probe.js'

/**
 * The console prints text that matches, from now on: what it printed before may be of an earlier boot. It looks at it
 * together with others where the driver lets it; else it holds the console while it waits, and never takes it from
 * somebody who has it open, but tries again later. `CONFIG_UNSUPPORTED` where the pattern is none, or takes too long.
 */
export const probeConsole: Probe<'console'> = async ({ pattern, device }, { driver, domain, signal }) => {
  const seen = new SeenText(pattern)
  const stream = await openShared(requireRole(driver, 'console'), domain, { device, signal })
  try {
    await new Promise<void>((resolve, reject) => {
      const decoder = new TextDecoder()
      stream.on('data', (bytes: Uint8Array) => {
        try {
          if (seen.matchesWith(decoder.decode(bytes, { stream: true }))) resolve()
        } catch (error) {
          reject(error)
        }
      })
      stream.once('error', reject)
      stream.once('close', () => reject(new VirError('OPERATION_FAILED', 'The console was closed')))
      stream.once('end', () => reject(new VirError('OPERATION_FAILED', 'The console was closed')))
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      if (signal.aborted) reject(signal.reason)
    })
  } finally {
    stream.destroy()
  }
}

/** How much of what the console has printed before is looked at together with what it prints. */
const windowCharacters = 4096
const timeoutMs = 100
/** A machine under load can take long over what is quickly done. */
const mostTimeouts = 5

const test = new Script('expression.test(text)')

/**
 * What a console has printed, held against a pattern. There are patterns, and texts made for them, over which a match
 * takes for ever, and the text is the guest's: each match has little time, and one that needs more too often is given up.
 */
class SeenText {
  readonly #scope: { readonly expression: RegExp; text: string }
  #timeouts = 0

  constructor(pattern: string) {
    try {
      this.#scope = createContext({ expression: new RegExp(pattern, 'm'), text: '' }) as {
        expression: RegExp
        text: string
      }
    } catch (cause) {
      throw new VirError('CONFIG_UNSUPPORTED', `'${pattern}' is no pattern: ${messageOf(cause)}`, { cause })
    }
  }

  matchesWith(more: string): boolean {
    for (let at = 0; at < more.length; at += windowCharacters) {
      const scope = this.#scope
      scope.text = scope.text.slice(-windowCharacters) + more.slice(at, at + windowCharacters)
      if (this.#matches()) return true
    }
    return false
  }

  #matches(): boolean {
    try {
      return test.runInContext(this.#scope, { timeout: timeoutMs }) as boolean
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw cause
      this.#timeouts += 1
      if (this.#timeouts < mostTimeouts) return false
      const { source } = this.#scope.expression
      throw new VirError('CONFIG_UNSUPPORTED', `matching '${source}' takes too long`, {
        hint: 'Nest no repetitions: (a+)+ tries every way to split what it matches',
        cause,
      })
    }
  }
}

async function openShared(
  role: ConsoleRole,
  domain: DomainRef,
  options: ConsoleOptions,
): Promise<ConsoleStream> {
  try {
    return await role.openConsole(domain, { ...options, shared: true })
  } catch (error) {
    if (!isVirError(error, 'ARGUMENT_UNSUPPORTED')) throw error
    return role.openConsole(domain, options)
  }
}
