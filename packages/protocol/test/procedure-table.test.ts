import { procedures } from '@covirt/protocol'
import { expect, test } from '@jest/globals'

const all = Object.entries(procedures)

test('each procedure has a number of its own in its program', () => {
  const numbers = all.map(([, { program, number }]) => `${program.name}/${number}`)
  expect(new Set(numbers).size).toBe(all.length)
})

test('procedures of the main program are known by their names', () => {
  const camel = (name: string) =>
    name.toLowerCase().replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase())
  const main = all.filter(([, { program }]) => program.name === 'remote')
  expect(main.map(([key]) => key)).toEqual(main.map(([, { name }]) => camel(name)))
})

test('what sets, defines, creates or destroys anything is a write', () => {
  const changing =
    /_(SET|DEFINE|UNDEFINE|CREATE|DESTROY|DELETE|ATTACH|DETACH|SHUTDOWN|REBOOT|RESUME|SUSPEND)(_|$)/
  const reads = all.filter(([, { name, access }]) => changing.test(name) && access === 'read')
  expect(reads.map(([key]) => key)).toEqual([])
})
