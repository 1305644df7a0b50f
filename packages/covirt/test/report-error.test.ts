import { VirError } from '@covirt/core'
import { expect, test } from '@jest/globals'
import { colourOf } from '../src/cli/colour.js'
import { formatError } from '../src/cli/report-error.js'

test('the causes of an error move no cursor, and keep their lines', () => {
  const cause = new Error('said \x1b[2J by a guest', { cause: 'then\x9b31m this\nand that' })
  const error = new VirError('OPERATION_FAILED', 'It failed', { cause })
  const colour = colourOf(process.stderr, { NO_COLOR: '1' })
  const text = formatError(error, { json: false, debug: true, colour })
  expect(text).toContain('\nError: said ?[2J by a guest\n    at ')
  expect(text).toMatch(/\nthen\?31m this\nand that\n$/)
})
