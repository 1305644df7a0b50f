import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, test } from '@jest/globals'
import { describeWhen, needsRoot, netnsBridge, tempRoot } from './fixtures/index.js'
import { expectMachineUnchanged, leftovers, machineState } from './fixtures/machine-state.js'
import { runToken } from './fixtures/run-token.js'

function newSince(before: readonly string[]): readonly string[] {
  return leftovers(before, machineState(), runToken())
}

describe('what a test leaves behind', () => {
  test('a file is seen', async () => {
    const before = machineState()
    await using root = await tempRoot()
    expect(newSince(before)).toContain(`file ${root.path}`)
  })

  test('a process is seen, whatever its name', async () => {
    const before = machineState()
    const child = spawn('sleep', ['1000'])
    await once(child, 'spawn')
    expect(newSince(before)).toContain(`process ${child.pid} of run ${runToken()}: sleep 1000`)
    child.kill()
    await once(child, 'exit')
  })

  test('things of other runs are not counted', () => {
    expect(leftovers([], ['network link cvzzzz12345'], 'aaaa')).toEqual([])
    expect(leftovers([], ['network link cvzzzz12345'])).toEqual(['network link cvzzzz12345'])
  })

  test('it is listed when it stays', async () => {
    const token = 'no-such-token'
    await expect(expectMachineUnchanged([], { token })).resolves.toBeUndefined()
    await expect(expectMachineUnchanged([], { timeoutMs: 0 })).rejects.toThrow(
      /left behind:\n.*network link lo/s,
    )
  })
})

describeWhen(needsRoot(), 'what only root could leave behind', () => {
  test('a bridge is seen', async () => {
    const before = machineState()
    await using bridge = await netnsBridge()
    expect(newSince(before)).toContain(`network link ${bridge.name}`)
  })
})
