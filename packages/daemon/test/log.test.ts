import { FakeClock } from '@covirt/core'
import { expect, test } from '@jest/globals'
import { automaticForm, type LogForm, StreamLogger } from '../src/log/stream-logger.js'

function logged(
  form: LogForm,
  log: (logger: StreamLogger) => void,
  level: 'info' | 'debug' = 'info',
): string[] {
  const lines: string[] = []
  const logger = new StreamLogger((line) => lines.push(line), { clock: new FakeClock(Date.UTC(2030, 0, 2)) })
  logger.configure({ level, form })
  log(logger)
  return lines
}

test('an entry for the journal has a priority and its fields as key=value', () => {
  const lines = logged('journal', ({ info, warn, error }) => {
    info('driver opened', { scheme: 'lxc', count: 3 })
    warn('odd', { reason: 'two words', nothing: undefined })
    error('bad', { error: new Error('it broke', { cause: new Error('why') }) })
  })
  expect(lines).toEqual([
    '<6>driver opened scheme=lxc count=3\n',
    '<4>odd reason="two words"\n',
    '<3>bad error="it broke (why)"\n',
  ])
})

test('an entry as JSON is one object, whose own four fields nothing hides', () => {
  const [line = ''] = logged('json', ({ info }) =>
    info('hello', { level: 'fake', size: 10n, deep: { a: [1n] } }),
  )
  expect(JSON.parse(line)).toEqual({
    time: '2030-01-02T00:00:00.000Z',
    level: 'info',
    message: 'hello',
    size: '10',
    deep: { a: ['1'] },
  })
})

test('an entry for people begins with time and level', () => {
  expect(logged('text', ({ warn }) => warn('odd', { path: '/run/x' }))).toEqual([
    '2030-01-02T00:00:00.000Z warn  odd path=/run/x\n',
  ])
})

test.each(['journal', 'json', 'text'] as const)('an entry as %s is one line whatever it carries', (form) => {
  const hostile = 'a\nb\r\x1b[31m\u2028<0>c'
  const lines = logged(form, ({ info }) => info(hostile, { name: hostile, error: new Error(hostile) }))
  expect(lines).toHaveLength(1)
  for (const character of ['\n', '\r', '\x1b']) expect(lines[0]?.slice(0, -1)).not.toContain(character)
})

test('a value cannot pass for another key', () => {
  expect(logged('journal', ({ info }) => info('x', { name: 'a uid=0' }))).toEqual(['<6>x name="a uid=0"\n'])
})

test('a value that refers to itself does not keep an entry back', () => {
  const loop: { self?: unknown } = {}
  loop.self = loop
  expect(logged('json', ({ info }) => info('x', { loop }))).toHaveLength(1)
})

test('what is less serious than the level is left out', () => {
  const both = (logger: StreamLogger) => {
    logger.debug('small')
    logger.info('large')
  }
  expect(logged('journal', both)).toEqual(['<6>large\n'])
  expect(logged('journal', both, 'debug')).toEqual(['<7>small\n', '<6>large\n'])
})

test('the journal is spoken to only where standard error goes there', () => {
  expect(automaticForm({})).toBe('text')
  expect(automaticForm({ JOURNAL_STREAM: '1:2' })).toBe('text')
})
