import { constants } from 'node:os'
import { isVirError, libraryVersion, VirError } from '@covirt/core'
import { type Command, CommanderError } from 'commander'
import { Cli, type GlobalFlags, type Task } from './cli.js'
import { colourOf } from './colour.js'
import type { CommandOutput, CommandProcess } from './command-process.js'
import { exitCodes } from './exit-codes.js'
import { toJson } from './output.js'
import { createProgram } from './program.js'
import { formatError } from './report-error.js'

/** Runs the command line that `args` are in `place`, and resolves to its exit code. Nothing of it is left then but its output. */
export async function runCommandLine(args: readonly string[], place: CommandProcess): Promise<number> {
  place.stderr.on('error', () => {})
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
  const inText = {
    writeOut: (text: string) => void place.stdout.write(text),
    writeErr: (text: string) => void place.stderr.write(text),
    getOutHelpWidth: () => widthOf(place.stdout),
    getErrHelpWidth: () => widthOf(place.stderr),
  }
  let program: Command
  try {
    program = await createProgram(select, { args, output: wantsJson ? inJson : inText })
    program.parse(args, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) {
      if (error.code === 'commander.version' && wantsJson)
        place.stdout.write(`${toJson({ version: libraryVersion })}\n`)
      else if (wantsJson) place.stdout.write(`${toJson({ help: help.join('') })}\n`)
      return exitCodes.ok
    }
    if (wantsJson)
      report(place, new VirError('INVALID_ARG', usageMessage(error), { hint: "See 'covirt --help'" }), {
        json: true,
      })
    return exitCodes.usage
  }
  return task ? runTask(task, program.opts(), place) : exitCodes.usage
}

async function runTask(task: Task, flags: GlobalFlags, place: CommandProcess): Promise<number> {
  const interrupt = new AbortController()
  const cli = new Cli(flags, interrupt.signal, place)
  const interrupted = catchSignals(interrupt, place, cli)
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
    if (!gaveUp || flags.json) report(place, error, flags)
    return gaveUp ? (interrupted.code ?? exitCodes.failure) : exitCodes.failure
  } finally {
    clearInterval(alive)
    interrupted.stop()
  }
}

/**
 * The first signal cancels what is under way, so that it can be undone; the second ends the process at once. ^C is none
 * while another program has the terminal.
 */
function catchSignals(
  interrupt: AbortController,
  place: CommandProcess,
  cli: Cli,
): { readonly code: number | undefined; stop(): void } {
  let code: number | undefined
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  const handler = (signal: NodeJS.Signals) => {
    if (signal === 'SIGINT' && cli.terminalIsLent) return
    if (code !== undefined) place.exit(code)
    code = 128 + constants.signals[signal]
    interrupt.abort(new Error(signal))
  }
  for (const signal of signals) place.on(signal, handler)
  return {
    get code() {
      return code
    },
    stop: () => {
      for (const signal of signals) place.off(signal, handler)
    },
  }
}

function report(
  { stderr, env }: CommandProcess,
  error: unknown,
  { json = false, debug = false }: Partial<GlobalFlags>,
): void {
  stderr.write(formatError(error, { json, debug, colour: colourOf(stderr, env) }))
}

function usageMessage(error: CommanderError): string {
  return error.message.replace(/^error: /, '').replace(/^\(outputHelp\)$/, 'A command is missing')
}

function widthOf({ isTTY, columns = 80 }: CommandOutput): number {
  return isTTY ? columns : 80
}
