import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isVirError, messageOf, throwIfAborted, VirError } from '@covirt/core'
import type { Cli } from './cli.js'
import { readDocument } from './read-document.js'
import { readLine } from './read-line.js'
import { formatError } from './report-error.js'

/** What is edited. */
export interface EditedText {
  readonly text: string
  /** What editors know its kind by. */
  readonly fileName: string
  /** Takes what it has become, or rejects with what is wrong with it. */
  readonly accept: (text: string) => Promise<void>
}

const defaultEditors = ['vi', 'nano']

/**
 * Lets a person change a text with `$VISUAL`, `$EDITOR`, vi or nano, in a file that nobody else can read. Resolves to
 * whether it was changed and taken. What is not taken can be edited again by who sits at a terminal; else it rejects, and
 * the file stays, and the hint of the error names it.
 */
export async function editText(cli: Cli, { text, fileName, accept }: EditedText): Promise<boolean> {
  const directory = await mkdtemp(join(tmpdir(), 'covirt-edit-'))
  const path = join(directory, fileName)
  const remove = () => rm(directory, { recursive: true, force: true })
  try {
    await writeFile(path, text, { mode: 0o600 })
    const edited = await editUntilTaken(cli, path, text, accept)
    await remove()
    return edited
  } catch (error) {
    const left = await readFile(path).catch(() => undefined)
    if (left === undefined || left.equals(Buffer.from(text))) {
      await remove()
      throw error
    }
    // Nothing else is said of a command that was ended by a signal.
    if (cli.signal.aborted) cli.warn(`What you have written is in ${path}`)
    throw new VirError(isVirError(error) ? error.code : 'INTERNAL_ERROR', messageOf(error), {
      domain: isVirError(error) ? error.domain : 'NONE',
      hint: `${isVirError(error) && error.hint ? `${error.hint}. ` : ''}What you have written is in ${path}`,
      cause: error,
    })
  }
}

async function editUntilTaken(
  cli: Cli,
  path: string,
  text: string,
  accept: EditedText['accept'],
): Promise<boolean> {
  for (;;) {
    await runEditor(cli, path)
    const edited = await readDocument(path, cli)
    throwIfAborted(cli.signal)
    if (edited === text) return false
    try {
      await accept(edited)
      return true
    } catch (error) {
      if (!(await wantsAgain(cli, error))) throw error
    }
  }
}

async function wantsAgain(cli: Cli, error: unknown): Promise<boolean> {
  if (cli.stdin.isTTY !== true || cli.output.json || cli.signal.aborted) return false
  cli.stderr.write(formatError(error, { json: false, debug: false, colour: cli.colour }))
  const terminal = { input: cli.stdin, output: cli.stderr }
  const answer = await readLine(terminal, 'Edit it again? [Y/n] ', true, cli)
  return answer !== undefined && !/^\s*n/i.test(answer)
}

async function runEditor(cli: Cli, path: string): Promise<void> {
  const chosen = [cli.environment.VISUAL, cli.environment.EDITOR].find((value) => value?.trim())
  const editors = chosen ? [chosen] : defaultEditors
  for (const editor of editors) if (await hasRun(cli, editor, path)) return
  throw new VirError('OPERATION_FAILED', `There is no editor: ${editors.join(', ')} cannot be found`, {
    hint: 'Name one with the variable VISUAL or EDITOR',
  })
}

/** Resolves to whether there is such an editor once it has ended; rejects where it fails. */
async function hasRun(cli: Cli, editor: string, path: string): Promise<boolean> {
  throwIfAborted(cli.signal)
  const [program = '', ...args] = editor.trim().split(/\s+/)
  // What a command prints as JSON is read by a program, which an editor would disturb.
  const stdout = cli.output.json ? 2 : 'inherit'
  const child = spawn(program, [...args, path], {
    stdio: ['inherit', stdout, 'inherit'],
    env: cli.environment,
  })
  const stop = () => void child.kill()
  using _lent = cli.lendTerminal()
  cli.signal.addEventListener('abort', stop, { once: true })
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
    throwIfAborted(cli.signal)
    if (code === 0) return true
    const how = code === null ? `was ended by ${signal}` : `ended with exit code ${code}`
    throw new VirError('OPERATION_FAILED', `The editor '${editor}' ${how}: nothing was changed`)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  } finally {
    cli.signal.removeEventListener('abort', stop)
  }
}
