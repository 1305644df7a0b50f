import { PassThrough } from 'node:stream'
import { expect, test } from '@jest/globals'
import { askCredentials } from '../src/cli/ask-credentials.js'

const request = { uri: 'qemu+tls://host/system', user: undefined }

/** A terminal at which somebody answers each question with the next of `answers`. */
function terminal(...answers: readonly string[]) {
  const input = Object.assign(new PassThrough(), { isTTY: true })
  const output = new PassThrough({ encoding: 'utf8' })
  let shown = ''
  let seen = 0
  const left = [...answers]
  output.on('data', (text: string) => {
    shown += text
    const question = shown.indexOf(': ', seen)
    if (question < 0) return
    seen = question + 2
    setImmediate(() => input.write(`${left.shift()}\r`))
  })
  return { input, output, shown: () => shown }
}

test('who connects is asked for name and password, of which the password is not shown', async () => {
  const asked = terminal('alice', 'in wonderland')
  const ask = askCredentials(asked)
  expect(await ask(request, {})).toEqual({ user: 'alice', password: 'in wonderland' })
  expect(asked.shown()).toContain('User at qemu+tls://host/system: ')
  expect(asked.shown()).not.toContain('wonderland')
})

test('a name that is known is not asked for, and nothing is asked for twice', async () => {
  const asked = terminal('in wonderland')
  const ask = askCredentials(asked)
  const known = { ...request, user: 'alice' }
  const first = await ask(known, {})
  expect(first).toEqual({ user: 'alice', password: 'in wonderland' })
  expect(await ask(known, {})).toBe(first)
})

test('nobody is asked where there is no terminal', async () => {
  const ask = askCredentials({ input: new PassThrough(), output: new PassThrough() })
  expect(await ask(request, {})).toBeUndefined()
})
