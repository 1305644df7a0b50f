import { constants } from 'node:os'
import { isVirError, VirError } from '@covirt/core'
import { CommanderError } from 'commander'
import { Cli, type GlobalFlags, type Task } from './cli.js'
import { colourOf } from './colour.js'
import { exitCodes } from './exit-codes.js'
import { toJson } from './output.js'
import { createProgram } from './program.js'
import { formatError } from './report-error.js'

process.exitCode = await main(process.argv.slice(2))

/** Runs a command line and resolves to its exit code. */
async function main(args: readonly string[]): Promise<number> {
  process.stderr.on('error', () => {})
  const wantsJson = args.includes('--json')
  let task: Task | undefined
  const select = (selected: Task) => {
    task = selected
  }
  const help: string[] = []
  const inJson = {
    writeOut: (text: string) => void help.push(text),
    writeErr: () => {},
    outputError: () => {},
  }
  const program = createProgram(select, wantsJson ? inJson : {})
  try {
    program.parse(args, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) {
      if (wantsJson) process.stdout.write(`${toJson({ help: help.join('') })}\n`)
      return exitCodes.ok
    }
    if (wantsJson)
      report(new VirError('INVALID_ARG', usageMessage(error), { hint: "See 'covirt --help'" }), {
        json: true,
      })
    return exitCodes.usage
  }
  return task ? runTask(task, program.opts()) : exitCodes.usage
}

async function runTask(task: Task, flags: GlobalFlags): Promise<number> {
  const interrupt = new AbortController()
  const interrupted = catchSignals(interrupt)
  const cli = new Cli(flags, interrupt.signal)
  // Drivers keep no process alive; a command that waits for them does.
  const alive = setInterval(() => {}, 2 ** 30)
  try {
    try {
      await task(cli)
    } finally {
      await cli.close()
    }
    return cli.exitCode
  } catch (error) {
    if (cli.output.closed.aborted && !interrupt.signal.aborted) return exitCodes.ok
    const gaveUp = isVirError(error, 'OPERATION_ABORTED') && interrupted.code !== undefined
    if (!gaveUp || flags.json) report(error, flags)
    return gaveUp ? (interrupted.code ?? exitCodes.failure) : exitCodes.failure
  } finally {
    clearInterval(alive)
    interrupted.stop()
  }
}

/** The first signal cancels what is under way, so that it can be undone; the second ends the process at once. */
function catchSignals(interrupt: AbortController): { readonly code: number | undefined; stop(): void } {
  let code: number | undefined
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  const handler = (signal: (typeof signals)[number]) => {
    if (code !== undefined) process.exit(code)
    code = 128 + constants.signals[signal]
    interrupt.abort(new Error(signal))
  }
  for (const signal of signals) process.on(signal, handler)
  return {
    get code() {
      return code
    },
    stop: () => {
      for (const signal of signals) process.off(signal, handler)
    },
  }
}

function report(error: unknown, { json = false, debug = false }: Partial<GlobalFlags>): void {
  process.stderr.write(formatError(error, { json, debug, colour: colourOf(process.stderr, process.env) }))
}

function usageMessage(error: CommanderError): string {
  return error.message.replace(/^error: /, '').replace(/^\(outputHelp\)$/, 'A command is missing')
}
