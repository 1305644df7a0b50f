import { expect, test } from '@jest/globals'
import { formatFields, formatTable } from '../src/cli/table.js'
import { printable, textWidth } from '../src/cli/text-width.js'

test('a table has a heading, a rule and aligned columns', () => {
  const rows = [
    ['1', 'web', 'running'],
    ['-', 'database', 'shut off'],
  ]
  expect(formatTable(['Id', 'Name', 'State'], rows)).toBe(
    [
      ' Id   Name       State',
      '---------------------------',
      ' 1    web        running',
      ' -    database   shut off',
      '',
    ].join('\n'),
  )
})

test('wide characters take two columns, combining ones none', () => {
  expect(textWidth('容器')).toBe(4)
  expect(textWidth('e\u0301')).toBe(1)
  expect(textWidth('🐧x')).toBe(3)
})

test('columns stay aligned where names have wide characters', () => {
  const [, , wide, narrow] = formatTable(
    ['Name', 'State'],
    [
      ['容器', 'on'],
      ['abcd', 'on'],
    ],
  ).split('\n')
  expect(wide).toBe(' 容器   on')
  expect(narrow).toBe(' abcd   on')
})

test('colour does not count as width', () => {
  const paint = (text: string) => `\x1b[32m${text}\x1b[0m`
  const [, , line] = formatTable(['State', 'Name'], [[{ text: 'on', paint }, 'a']]).split('\n')
  expect(line).toBe(' \x1b[32mon\x1b[0m      a')
})

test('what would move the cursor of a terminal is not printed', () => {
  expect(printable('a\x1b[2Jb\nc\u202e')).toBe('a?[2Jb?c?')
})

test('fields have their values one below the other', () => {
  expect(
    formatFields([
      ['Id', 1],
      ['CPU time', '2.0s'],
    ]),
  ).toBe('Id:         1\nCPU time:   2.0s\n')
})
