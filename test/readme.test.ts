import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { parseConnectUri, roleNames } from '@covirt/core'
import { testProvider } from '@covirt/driver-test'
import { Server } from '@covirt/server'
import { expect, test } from '@jest/globals'
import { open } from 'covirt'
import { busyboxRootfs, canRunLxc, canRunQemu, tempRoot, testWhen, uniqueName } from './fixtures/index.js'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

/** The table of drivers and roles: its rows, as lists of cells. */
const [table = ''] = readme.slice(readme.indexOf('| role |')).split('\n\n', 1)
const [head = [], ...rows] = table
  .split('\n')
  .filter((line) => !line.startsWith('| ---'))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )

test('the table of the README has a row for each role', () => {
  expect(rows.map(([role]) => role)).toEqual([...roleNames])
})

const drivers = [
  { scheme: 'test', requirement: undefined },
  { scheme: 'lxc', requirement: canRunLxc() },
  { scheme: 'qemu', requirement: canRunQemu() },
  { scheme: 'covirt', requirement: canRunLxc() ?? canRunQemu() },
]

for (const { scheme, requirement } of drivers) {
  testWhen(requirement, `the table of the README tells the truth about ${scheme}:`, async () => {
    await using root = await tempRoot()
    const [path, place] = scheme === 'test' ? ['default', uniqueName('readme')] : ['system', root.path]
    await using connection = await open(`${scheme}:///${path}?root=${place}` as string)
    const { driver } = connection
    const column = head.indexOf(`\`${scheme}:\``)
    expect(rows.map((cells) => cells[column])).toEqual(roleNames.map((role) => (driver[role] ? 'yes' : 'no')))
  })
}

test('the table of the README tells the truth about what is reached through covirtd', async () => {
  await using root = await tempRoot()
  const uri = parseConnectUri(`test:///empty?root=${uniqueName('readme')}`)
  const server = new Server({ open: () => testProvider.open(uri) })
  const listener = createServer((socket) => server.accept(socket, { name: 'root', transport: 'unix' }))
  const path = root.join('sock')
  listener.listen(path)
  await once(listener, 'listening')
  try {
    await using connection = await open(`test+unix:///empty?socket=${path}` as string)
    const { driver } = connection
    const column = head.indexOf('to covirtd')
    expect(rows.map((cells) => cells[column])).toEqual(roleNames.map((role) => (driver[role] ? 'yes' : 'no')))
  } finally {
    await server.close()
    listener.close()
  }
})

const run = promisify(execFile)

/** The programs of the README, as they stand there. */
const snippets = [...readme.matchAll(/^```js\n(.*?)^```$/gms)].map(([, program]) => program as string)

/** What a program prints that is run as an .mjs by plain Node, with `replacements` for what is of this host. */
async function output(program: string, replacements: Readonly<Record<string, string>> = {}): Promise<string> {
  let text = program
  for (const [there, here] of Object.entries(replacements)) {
    expect(text).toContain(there)
    text = text.replaceAll(there, here)
  }
  const { NODE_OPTIONS: _, ...env } = process.env
  const cwd = fileURLToPath(new URL('..', import.meta.url))
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', text], { cwd, env })
  return stdout
}

test('the README has two programs, and both are run here', () => {
  expect(snippets).toHaveLength(2)
})

test('the first program of the README runs, on simulated guests', async () => {
  const replacements = { 'covirt:///system': 'test:///empty?root=readme', "type='lxc'": "type='test'" }
  await expect(output(snippets[0] as string, replacements)).resolves.toBe('web test running booted\n')
})

testWhen(canRunLxc(), 'the first program of the README runs, on a real container', async () => {
  await using root = await tempRoot()
  await busyboxRootfs(root.join('rootfs'))
  const name = uniqueName('readme')
  const stdout = await output(snippets[0] as string, {
    'covirt:///system': `covirt:///system?root=${root.path}`,
    '/srv/web': root.join('rootfs'),
    '<name>web</name>': `<name>${name}</name>`,
  })
  expect(stdout).toBe(`${name} lxc running booted\n`)
})

test('the program of the README that controls simulated guests does what it says', async () => {
  await expect(output(snippets[1] as string)).resolves.toBe('shutdown\n')
})
