import { expect, test } from '@jest/globals'
import { createProgram } from '../src/cli/program.js'

const all = await createProgram(() => {})
const verbs = all.commands.map((command) => command.name())

/** The one that is about all others. */
const aboutAll = ['completion']

test.each(verbs)('%s is there where the command line names it', async (verb) => {
  const { commands } = await createProgram(() => {}, { args: ['--connect', 'list', verb, '--all'] })
  expect(commands.map((command) => command.name())).toContain(verb)
})

test.each(verbs.filter((verb) => !aboutAll.includes(verb)))('%s comes without all others', async (verb) => {
  const { commands } = await createProgram(() => {}, { args: [verb] })
  expect(commands.length).toBeLessThan(verbs.length / 4)
})

test.each([[['help', 'list']], [['--help', 'list']], [['lst']], [['completion', 'bash']], [[]]])(
  '%j has them all',
  async (args) => {
    const { commands } = await createProgram(() => {}, { args })
    expect(commands.map((command) => command.name())).toEqual(verbs)
  },
)
