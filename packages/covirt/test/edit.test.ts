import { execFile } from 'node:child_process'
import { chmod, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { tempRoot } from '../../../test/fixtures/index.js'
import { covirt, covirtProcess, type RunOptions } from './run-covirt.js'

let root: Awaited<ReturnType<typeof tempRoot>>
let worlds = 0
let uri = ''
beforeEach(async () => {
  root = await tempRoot()
  worlds += 1
  uri = `test:///default?root=edit-${worlds}`
})
afterEach(async () => {
  await root[Symbol.asyncDispose]()
})

const edit = (editor: string, options: RunOptions = {}, args = ['edit', 'test']) =>
  covirt(['-c', uri, ...args], { ...options, environment: { VISUAL: '', EDITOR: editor } })

const definition = async () => (await covirt(['-c', uri, 'dumpxml', 'test', '--inactive'])).stdout

/** An editor of these lines of shell, in which `$1` is the file. */
async function editor(...lines: readonly string[]): Promise<string> {
  const path = root.join('editor')
  await writeFile(path, ['#!/bin/sh', ...lines, ''].join('\n'))
  await chmod(path, 0o755)
  return path
}

/** The file that an error names, and what is in it; it is removed. */
async function leftText(stderr: string): Promise<string> {
  const path = /What you have written is in (\S+)/.exec(stderr)?.[1] ?? ''
  const text = await readFile(path, 'utf8')
  await rm(dirname(path), { recursive: true })
  return text
}

describe('edit', () => {
  test('defines what the editor has made of the definition', async () => {
    await expect(edit('sed -i s/8388608/4194304/')).resolves.toEqual({
      code: 0,
      stdout: "Domain 'test' XML configuration edited.\n",
      stderr: '',
    })
    expect(await definition()).toContain("<memory unit='KiB'>4194304</memory>")
  })

  test('prefers VISUAL to EDITOR', async () => {
    const environment = { VISUAL: 'true', EDITOR: 'false' }
    await expect(covirt(['-c', uri, 'edit', 'test'], { environment })).resolves.toMatchObject({ code: 0 })
  })

  test('says where nothing was changed', async () => {
    const { stdout } = await edit('true')
    expect(stdout).toBe("Domain 'test' XML configuration not changed.\n")
    expect(JSON.parse((await edit('true', {}, ['edit', 'test', '--json'])).stdout)).toMatchObject({
      name: 'test',
      changed: false,
    })
  })

  test('lets nobody else see the text, and leaves none of it', async () => {
    const seen = root.join('seen')
    await edit(await editor(`stat -c %a "$1" "$(dirname "$1")" > ${seen}; echo "$1" >> ${seen}`))
    const [file, directory, path = ''] = (await readFile(seen, 'utf8')).split('\n')
    expect({ file, directory }).toEqual({ file: '600', directory: '700' })
    await expect(stat(dirname(path))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('changes nothing where the editor fails, and keeps what was written', async () => {
    const before = await definition()
    const { code, stderr } = await edit(await editor('sed -i s/8388608/4194304/ "$1"; exit 3'))
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('ended with exit code 3') })
    expect(await leftText(stderr)).toContain('4194304')
    expect(await definition()).toBe(before)
  })

  test.each([
    ['is refused', 's/KiB/stones/', /^error: .*stones/],
    ['has another name', 's/<name>test/<name>toast/', /^error: The name and the uuid of 'test' cannot be/],
    ['has no uuid', '/uuid/d', /^error: The name and the uuid of 'test' cannot be/],
  ])('keeps the text of a document that %s', async (_, script, message) => {
    const before = await definition()
    const { code, stderr } = await edit(`sed -i ${script}`)
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(message) })
    expect(await leftText(stderr)).not.toBe(before)
    expect(await definition()).toBe(before)
  })

  test('does not overwrite what somebody else has changed meanwhile', async () => {
    const marker = root.join('changed')
    const first = edit(
      await editor(`while [ ! -e ${marker} ]; do sleep 0.01; done; sed -i s/2097152/1048576/ "$1"`),
    )
    await edit('sed -i s/8388608/4194304/')
    await writeFile(marker, '')
    const { code, stderr } = await first
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('changed by somebody else') })
    expect(await leftText(stderr)).toContain('1048576')
    expect(await definition()).toContain('4194304')
  })

  test('asks who sits at a terminal whether to go on with a refused text', async () => {
    const twice = await editor(
      `if [ -e ${root.join('once')} ]; then sed -i s/stones/KiB/ "$1"; sed -i s/8388608/4194304/ "$1"`,
      `else touch ${root.join('once')}; sed -i s/KiB/stones/ "$1"; fi`,
    )
    const { code, stdout, stderr } = await edit(twice, { input: 'y\n', tty: true })
    expect(stderr).toContain('Edit it again? [Y/n]')
    expect({ code, stdout }).toEqual({ code: 0, stdout: "Domain 'test' XML configuration edited.\n" })
    expect(await definition()).toContain('4194304')
  })

  test('keeps the text of who does not want to go on', async () => {
    const { code, stderr } = await edit('sed -i s/KiB/stones/', { input: 'n\n', tty: true })
    expect(code).toBe(1)
    expect(await leftText(stderr)).toContain('stones')
  })

  test('leaves ^C to the editor while that has the terminal', async () => {
    const EDITOR = await editor('kill -INT $PPID; sed -i s/8388608/4194304/ "$1"')
    const { code, stdout } = await covirtProcess(['-c', uri, 'edit', 'test'], {
      environment: { VISUAL: '', EDITOR },
    })
    expect({ code, stdout }).toEqual({ code: 0, stdout: "Domain 'test' XML configuration edited.\n" })
  })

  test('ends the editor with itself, and keeps what was written', async () => {
    const EDITOR = await editor('sed -i s/8388608/4194304/ "$1"; kill -TERM $PPID; read -r _ < "$0.never"')
    await promisify(execFile)('mkfifo', [`${EDITOR}.never`])
    const { code, stderr } = await covirtProcess(['-c', uri, 'edit', 'test'], {
      environment: { VISUAL: '', EDITOR },
    })
    expect(code).toBe(143)
    expect(await leftText(stderr)).toContain('4194304')
  })

  test('says which variable names an editor where there is none', async () => {
    const { code, stderr } = await edit('/nonexistent/editor --wait')
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/VISUAL or EDITOR/) })
  })
})

test('desc --edit changes a description', async () => {
  const { stdout } = await edit(await editor('echo "Serves pages" > "$1"'), {}, ['desc', 'test', '--edit'])
  expect(stdout).toBe('Domain description updated successfully\n')
  expect((await covirt(['-c', uri, 'desc', 'test'])).stdout).toBe('Serves pages\n')
})
