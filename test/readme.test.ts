import { readFileSync } from 'node:fs'
import { roleNames } from '@covirt/core'
import { expect, test } from '@jest/globals'
import { open } from 'covirt'
import { canRunLxc, canRunQemu, tempRoot, testWhen, uniqueName } from './fixtures/index.js'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

/** The rows of the table of drivers and roles, by the scheme of their first URI. */
const rows = new Map(
  readme
    .split('\n')
    .filter((line) => /^\| `[a-z]+:\/\/\//.test(line))
    .map((line) => {
      const cells = line.split('|').map((cell) => cell.trim())
      return [/`([a-z]+):/.exec(cells[1] as string)?.[1] as string, cells.slice(3, -2)] as const
    }),
)

const header = readme.split('\n').find((line) => line.startsWith('| URI '))

test('the table of the README has a column for each role', () => {
  expect(
    header
      ?.split('|')
      .map((cell) => cell.trim())
      .slice(3, -2),
  ).toEqual([...roleNames])
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
    expect(rows.get(scheme)).toEqual(roleNames.map((role) => (driver[role] ? 'yes' : 'no')))
  })
}
