import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import { completionScript } from '../src/cli/completion.js'
import { createProgram } from '../src/cli/program.js'
import { covirt } from './run-covirt.js'

const run = promisify(execFile)
const program = await createProgram(() => {})

/** What bash offers for `words`, the last of which is being typed; `covirt` is answered by a function. */
async function complete(...words: readonly string[]): Promise<string[]> {
  const script = `${completionScript('bash', program)}
covirt() { local IFS=' '; [[ "$*" == *"list --all --name" ]] && printf '%s\\n' web db "asked: $1 $2"; }
COMP_WORDS=(covirt "$@"); COMP_CWORD=$#
_covirt
printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout } = await run('bash', ['-c', script, 'bash', ...words])
  return stdout.split('\n').filter((line) => line !== '')
}

describe('bash completes', () => {
  test('verbs', async () => {
    await expect(complete('shu')).resolves.toEqual(['shutdown'])
  })

  test('options of a verb', async () => {
    await expect(complete('shutdown', '--w')).resolves.toEqual(['--wait'])
  })

  test('options of every verb', async () => {
    await expect(complete('list', '--js')).resolves.toEqual(['--json'])
  })

  test('names of domains', async () => {
    await expect(complete('start', '')).resolves.toEqual(expect.arrayContaining(['web', 'db']))
  })

  test('names of the domains of the connection that is given', async () => {
    const found = await complete('-c', 'test:///default', 'start', '')
    expect(found).toContain('asked: --lock-timeout 1')
  })

  test('nothing for what takes no argument', async () => {
    await expect(complete('uri', '')).resolves.toEqual([])
  })
})

test('the script for bash is a valid one', async () => {
  const { stdout } = await covirt(['completion', 'bash'])
  await expect(run('bash', ['-n', '-c', stdout])).resolves.toMatchObject({ stderr: '' })
})

test('the script for zsh uses that for bash', () => {
  const script = completionScript('zsh', program)
  expect(script).toContain('bashcompinit')
  expect(script).toContain(completionScript('bash', program))
})

test('the script for fish has a line for every verb', () => {
  const script = completionScript('fish', program)
  for (const { name } of program.commands.map((command) => ({ name: command.name() }))) {
    expect(script).toContain(` -a ${name} `)
  }
})
