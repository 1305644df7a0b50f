import { type Procedure, type ProcedureName, procedures } from '@covirt/protocol'
import { expect, test } from '@jest/globals'
import { handlers } from '../src/handlers/index.js'
import { reasonWithout } from '../src/unsupported.js'

const all = Object.entries(procedures) as readonly (readonly [ProcedureName, Procedure])[]

test('every procedure has a handler, or there is a reason why it has none', () => {
  const forgotten = all.filter(
    ([name, procedure]) =>
      !(name in handlers) && procedure.name !== 'CANCEL' && reasonWithout(procedure) === undefined,
  )
  expect(forgotten.map(([name]) => name)).toEqual([])
})

test('more than a hundred and twenty procedures have a handler', () => {
  expect(Object.keys(handlers).length).toBeGreaterThan(120)
})
