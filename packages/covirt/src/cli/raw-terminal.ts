import type { TerminalSize } from '@covirt/core'
import type { CommandInput, CommandOutput } from './command-process.js'

/**
 * Switches standard input to raw mode where it is a terminal, so that all keys reach a guest, ^C too; back again when
 * disposed, and when the process ends.
 */
export function rawTerminal(stdin: CommandInput): Disposable {
  if (stdin.isTTY !== true) return { [Symbol.dispose]() {} }
  const restore = () => void stdin.setRawMode?.(false)
  process.once('exit', restore)
  stdin.setRawMode?.(true)
  return {
    [Symbol.dispose]() {
      process.off('exit', restore)
      restore()
    },
  }
}

/** Calls `resized` with the size of the terminal `stdout` at each change of it (SIGWINCH), until disposed. */
export function followSize(
  stdout: CommandOutput,
  resized: (columns: number, rows: number) => void,
): Disposable {
  const onResize = () => {
    const { columns = 0, rows = 0 } = stdout
    if (columns > 0 && rows > 0) resized(columns, rows)
  }
  stdout.on('resize', onResize)
  return {
    [Symbol.dispose]() {
      stdout.off('resize', onResize)
    },
  }
}

/** The terminal that the command itself has on both sides; `undefined` where it has none. */
export function ownTerminal({
  stdin,
  stdout,
}: {
  readonly stdin: CommandInput
  readonly stdout: CommandOutput
}): TerminalSize | undefined {
  if (stdin.isTTY !== true || stdout.isTTY !== true) return undefined
  return { columns: stdout.columns || 80, rows: stdout.rows || 24 }
}
