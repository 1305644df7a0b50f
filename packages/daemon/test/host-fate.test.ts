import { FakeClock } from '@covirt/core'
import { expect, test } from '@jest/globals'
import { type AskProgram, hostFate } from '../src/lifecycle/host-fate.js'

/** Sources that answer in turn; what they do not know any more they leave unanswered. */
async function fateBy(answers: {
  readonly systemctl?: readonly string[]
  readonly busctl?: readonly string[]
}) {
  const clock = new FakeClock()
  const asked = { systemctl: 0, busctl: 0 }
  const ask: AskProgram = async (program) => {
    const name = program as keyof typeof asked
    asked[name] += 1
    return answers[name]?.[asked[name] - 1]
  }
  const fate = hostFate(clock, ask)
  await clock.advance(60_000)
  return [await fate, asked.systemctl]
}

test('a host that systemd says is stopping goes down; in any other state it stays', async () => {
  expect(await fateBy({ systemctl: ['stopping'] })).toEqual(['going-down', 1])
  for (const state of ['running', 'degraded', 'starting', 'maintenance', 'offline', 'not installed'])
    expect(await fateBy({ systemctl: [state], busctl: ['b false'] })).toEqual(['staying', 1])
})

test('a systemd that does not answer is asked again', async () => {
  const silent = Array.from({ length: 5 }, () => '')
  expect(await fateBy({ systemctl: [...silent, 'stopping'] })).toEqual(['going-down', 6])
  expect(await fateBy({ systemctl: [...silent, 'running'] })).toEqual(['staying', 6])
})

test('logind’s word that the host goes down counts where systemd says nothing', async () => {
  expect(await fateBy({ busctl: ['b true'] })).toEqual(['going-down', 1])
})

test('where nobody says anything for long, it is not known', async () => {
  expect(await fateBy({ busctl: ['b false'] })).toEqual(['unknown', 10])
})
