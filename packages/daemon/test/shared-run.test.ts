import { VirError } from '@covirt/core'
import { expect, test } from '@jest/globals'
import { SharedRun } from '../src/lifecycle/shared-run.js'

/** What the first of two does, who is joined by the other, and what the latter would do. */
async function two(first: () => Promise<string>, second: () => Promise<string>) {
  const run = new SharedRun<string>()
  return Promise.allSettled([run.join({}, first), run.join({}, second)])
}

const failing = (code: 'OPERATION_FAILED' | 'OPERATION_ABORTED') => async () => {
  throw new VirError(code, 'the first')
}

test('what fails fails for all who have part in it, and is not done again', async () => {
  const results = await two(failing('OPERATION_FAILED'), async () => 'the second')
  expect(results).toMatchObject([
    { status: 'rejected', reason: { message: 'the first' } },
    { status: 'rejected', reason: { message: 'the first' } },
  ])
})

test('what was given up is done by those who had part in it', async () => {
  const results = await two(failing('OPERATION_ABORTED'), async () => 'the second')
  expect(results).toMatchObject([{ status: 'rejected' }, { status: 'fulfilled', value: 'the second' }])
})
