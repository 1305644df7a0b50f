import { constants } from 'node:os'
import { Readable, type Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import type { ExecExit, ExecOptions, ExecProcess, TerminalSize } from '@covirt/core'
import type { Cli } from './cli.js'
import { followSize, rawTerminal } from './raw-terminal.js'

/**
 * Connects a program in a guest with standard input, output and error, or with the terminal; its exit code becomes that
 * of the command, as in a shell: 128 and the signal's number where it was killed.
 */
export async function runProgram(
  cli: Cli,
  start: (options: Pick<ExecOptions, 'tty' | 'stdin' | 'signal'>) => Promise<ExecProcess>,
  tty: TerminalSize | undefined,
): Promise<void> {
  const signal = AbortSignal.any([cli.signal, cli.output.closed])
  if (cli.output.json) {
    const program = await start({ tty, signal })
    feed(cli.stdin, program)
    const [stdout, stderr, exit] = await Promise.all([
      text(program.stdout),
      text(program.stderr),
      program.exit,
    ])
    cli.stdin.destroy()
    cli.result({ json: { ...exit, stdout, stderr }, text: '' })
    cli.exitCode = exitCode(exit)
    return
  }
  const program = await start({ tty, signal })
  using _raw = tty ? rawTerminal(cli.stdin) : undefined
  using _size = followSize(cli.stdout, (columns, rows) => program.resize(columns, rows))
  feed(cli.stdin, program)
  try {
    const outputs = [forward(program.stdout, cli.stdout), forward(program.stderr, cli.stderr)]
    const [exit] = await Promise.all([program.exit, ...outputs])
    cli.exitCode = exitCode(exit)
  } finally {
    cli.stdin.destroy()
  }
}

function feed(stdin: Readable, program: ExecProcess): void {
  // The program may end before it has read all.
  pipeline(stdin, program.stdin).catch(() => {})
}

/** To its end, but for a reader that goes away. */
async function forward(from: Readable, to: Writable): Promise<void> {
  for await (const chunk of Readable.from(from)) {
    if (!to.write(chunk)) await new Promise((resolve) => to.once('drain', resolve).once('close', resolve))
  }
}

function exitCode(exit: ExecExit): number {
  return 'code' in exit ? exit.code : 128 + (constants.signals[exit.signal] ?? 0)
}
