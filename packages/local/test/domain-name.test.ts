import { expect, test } from '@jest/globals'
import { checkDomainName } from '../src/domain-name.js'

test.each(['web', 'a b', 'ünïcode', '.hidden', 'a.b_c-d', 'x'.repeat(200)])('%j is a name', (name) => {
  expect(() => checkDomainName(name)).not.toThrow()
})

test.each(['', ' ', '.', '..', 'a/b', '../x', 'a\nb', 'a\0b', 'a\u009bb', 'x'.repeat(201), '.covirt-tmp-1'])(
  '%j is refused',
  (name) => {
    expect(() => checkDomainName(name)).toThrow(expect.objectContaining({ code: 'XML_ERROR' }))
  },
)
