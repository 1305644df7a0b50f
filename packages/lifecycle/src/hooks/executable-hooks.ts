import { spawn } from 'node:child_process'
import { constants } from 'node:fs'
import { access, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type CallOptions, VirError } from '@covirt/core'
import { parseDomain } from '@covirt/xml'
import type { HookContext, LifecycleHooks } from './lifecycle-hooks.js'

/** How a program is called, as libvirt calls its hooks. */
interface HookCall {
  readonly operation: 'prepare' | 'start' | 'started' | 'stopped' | 'release'
  readonly subOperation: 'begin' | 'end'
  readonly extra: string
}

/**
 * Hooks that are programs in a directory, called as libvirt calls its own (https://libvirt.org/hooks.html): `qemu` for
 * virtual machines, `lxc` for containers, and all of `qemu.d` and `lxc.d` in the order of their names. Their arguments
 * are the domain's name, the operation, its phase and one more, `-` where there is none; the domain's document is on
 * standard input. One that fails before a start keeps the domain from being started; others are only told of.
 */
export function executableHooks(directory: string, timeoutMs = 30_000): LifecycleHooks {
  const run = (context: HookContext, call: HookCall) => runAll(directory, context, call)
  return {
    timeoutMs,
    onBeforeStart: async (context) => {
      for (const operation of ['prepare', 'start'] as const) {
        try {
          await run(context, { operation, subOperation: 'begin', extra: '-' })
        } catch (error) {
          if (context.signal?.aborted) throw error
          return { veto: error instanceof Error ? error.message : String(error) }
        }
      }
      return undefined
    },
    onStarted: (context) => run(context, { operation: 'started', subOperation: 'begin', extra: '-' }),
    onStopped: async (context) => {
      const extra = context.how === 'clean' ? 'shutdown' : context.how === 'saved' ? 'saved' : 'destroyed'
      await run(context, { operation: 'stopped', subOperation: 'end', extra })
      await run(context, { operation: 'release', subOperation: 'end', extra })
    },
  }
}

async function runAll(directory: string, context: HookContext, call: HookCall): Promise<void> {
  for (const program of await programsFor(directory, context.xml)) await runOne(program, context, call)
}

async function programsFor(directory: string, xml: string): Promise<readonly string[]> {
  const kind = kindOf(xml)
  if (kind === undefined) return []
  const more = await readdir(join(directory, `${kind}.d`)).catch(() => [])
  const candidates = [join(directory, kind), ...more.sort().map((name) => join(directory, `${kind}.d`, name))]
  const usable = await Promise.all(
    candidates.map((path) =>
      access(path, constants.X_OK).then(
        () => true,
        () => false,
      ),
    ),
  )
  return candidates.filter((_, index) => usable[index])
}

function kindOf(xml: string): string | undefined {
  if (xml === '') return undefined
  const { type } = parseDomain(xml)
  if (type === 'qemu' || type === 'kvm') return 'qemu'
  return /^[a-z]{1,16}$/.test(type) ? type : undefined
}

const longestOutput = 1000

function runOne(
  program: string,
  { domain, xml, signal }: HookContext & CallOptions,
  { operation, subOperation, extra }: HookCall,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [domain.name, operation, subOperation, extra], {
      stdio: ['pipe', 'ignore', 'pipe'],
      killSignal: 'SIGKILL',
      ...(signal && { signal }),
    })
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => {
      if (said.length < longestOutput) said += chunk.toString()
    })
    // It need not read its input.
    child.stdin.on('error', () => {})
    child.stdin.end(xml)
    child.once('error', reject)
    child.once('close', (code, killedBy) => {
      if (code === 0) return resolve()
      const how = code === null ? `was ended by ${killedBy}` : `ended with code ${code}`
      const words = said.trim().slice(0, longestOutput)
      reject(new VirError('HOOK_SCRIPT_FAILED', `${program} ${how}${words === '' ? '' : `: ${words}`}`))
    })
  })
}
