import { expect, test } from '@jest/globals'
import { nativeStart } from '../src/foreign/native-start.js'

const auto = 'lxc.start.auto = 1\n'

test('a container that says nothing is not started, and has the order of all that say nothing', () => {
  expect(nativeStart('lxc.uts.name = a\n')).toEqual({
    autostart: false,
    order: undefined,
    delayMs: undefined,
  })
})

test('containers of the group onboot come before those without a group, each by its order', () => {
  const inTurn = [
    `${auto}lxc.group = onboot\n`,
    `${auto}lxc.group = web onboot\nlxc.start.order = 5\n`,
    `${auto}lxc.group = onboot\nlxc.start.order = 100000\n`,
    auto,
    `${auto}lxc.start.order = 1\n`,
    `${auto}lxc.start.order = 20\n`,
  ].map(nativeStart)
  expect(inTurn.every(({ autostart }) => autostart)).toBe(true)
  const orders = inTurn.map(({ order }) => order ?? 1000)
  expect(orders).toEqual([...orders].sort((a, b) => a - b))
  expect(new Set(orders).size).toBe(orders.length)
})

test('a container that is only in other groups is not started at boot', () => {
  expect(nativeStart(`${auto}lxc.group = dns\nlxc.group = web\n`).autostart).toBe(false)
  expect(nativeStart(`${auto}lxc.group = dns\nlxc.group =\n`).autostart).toBe(true)
})

test('the last of several values counts', () => {
  expect(nativeStart(`lxc.start.delay = 1\nlxc.start.delay = 4\n${auto}lxc.start.auto = 0\n`)).toMatchObject({
    autostart: false,
    delayMs: 4000,
  })
})
