import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, test } from '@jest/globals'
import { program, startCovirt } from './run-covirt.js'

const args = ['-c', 'test:///default', 'console', 'test']

/** What `child` writes on standard output until it contains `expected`. */
async function hear(child: ChildProcess, expected: string): Promise<string> {
  let heard = ''
  for await (const chunk of child.stdout ?? []) {
    heard += chunk
    if (heard.includes(expected)) return heard
  }
  throw new Error(`never heard '${expected}', but '${heard}'`)
}

describe('through a pipe', () => {
  test('what is typed reaches the guest, and ^] leaves', async () => {
    const child = startCovirt(args)
    const heard = hear(child, 'hello')
    child.stdin?.write('hello')
    await expect(heard).resolves.toContain('hello')
    child.stdin?.write('\x1d')
    await expect(once(child, 'close')).resolves.toEqual([0, null])
  })

  test('what comes before ^] still reaches the guest', async () => {
    const child = startCovirt(args)
    const heard = hear(child, 'bye')
    child.stdin?.write('bye\x1dnot this')
    await expect(heard).resolves.toBe('bye')
  })
})

describe('to a reader that goes away', () => {
  test('it ends, without an error', async () => {
    const child = startCovirt(args)
    let stderr = ''
    child.stderr?.on('data', (chunk) => {
      stderr += chunk
    })
    child.stdout?.destroy()
    child.stdin?.write('nobody hears this')
    await expect(once(child, 'close')).resolves.toEqual([0, null])
    expect(stderr).not.toContain('error')
  })
})

describe('on a terminal', () => {
  /** The command on a terminal of its own, which `script` (util-linux) makes; what it shows is on stdout. */
  function onTerminal(): ChildProcess {
    const command = [process.execPath, program, ...args].map((word) => `'${word}'`).join(' ')
    const { NODE_OPTIONS: _, ...environment } = process.env
    return spawn(
      'script',
      ['--quiet', '--return', '--command', `${command}; echo left with $?; stty -a`, '/dev/null'],
      {
        env: { ...environment, SHELL: '/bin/sh' },
      },
    )
  }

  test('^C goes to the guest, ^] leaves and the terminal is as it was', async () => {
    const child = onTerminal()
    let shown = ''
    child.stdout?.on('data', (chunk) => {
      const greeted = shown.includes('])')
      shown += chunk
      if (!greeted && shown.includes('])')) child.stdin?.write('typed\x03\x1d')
    })
    await once(child, 'close')
    expect(shown).toContain('typed\x03')
    expect(shown).toContain('left with 0')
    expect(shown).toMatch(/(?<!-)icanon.*(?<!-)echo\b/s)
  })
})
