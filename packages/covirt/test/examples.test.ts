import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import { canRunLinuxGuest, canRunLxc, tempRoot, testWhen } from '../../../test/fixtures/index.js'

const run = promisify(execFile)
const directory = fileURLToPath(new URL('../../../examples', import.meta.url))

/** What each program prints. */
const programs: Readonly<Record<string, RegExp>> = {
  'autostart.mjs': /^started at boot: web\n$/,
  'cancellation.mjs': /^gave up: the domain is shutoff as before\n$/,
  'console.mjs': /^hello, guest\n$/,
  'list-domains.mjs': /^test \(test\): running, 2097152 KiB\n$/,
  'test-controls.mjs': /because: crashed\n.*because: shutdown\n$/,
  'watch-events.mjs': /^test: suspended \(paused\)\ntest: stopped \(destroyed\)\ntest: started \(booted\)\n$/,
}

async function runExample(name: string, environment: NodeJS.ProcessEnv = {}): Promise<string> {
  const { NODE_OPTIONS: _, ...inherited } = process.env
  const { stdout } = await run(process.execPath, [`${directory}/${name}`], {
    env: { ...inherited, ...environment },
  })
  return stdout
}

test('every example is run here', () => {
  const files = readdirSync(directory).filter((name) => name.endsWith('.mjs') && name !== 'quickstart.mjs')
  expect(files.sort()).toEqual(Object.keys(programs))
})

test.each(Object.entries(programs))('%s does what it says', async (name, expected) => {
  expect(await runExample(name)).toMatch(expected)
})

describe('the quickstart', () => {
  test('runs with what there is, and leaves nothing behind', async () => {
    await using root = await tempRoot()
    const stdout = await runExample('quickstart.mjs', { TMPDIR: root.path })
    expect(stdout).toMatch(
      /\n {2}✓ define .*\n {2}✓ start .*\n {2}✓ talk to .*\n {2}✓ shut down .*\n {2}✓ undefine .*\nDone in /s,
    )
    expect(readdirSync(root.path)).toEqual([])
  })

  testWhen(
    canRunLxc() ?? canRunLinuxGuest(),
    'gets a line from inside a container and a virtual machine',
    async () => {
      const stdout = await runExample('quickstart.mjs')
      expect(stdout).toMatch(/^ +\d+ +cell +lxc +running/m)
      expect(stdout).toMatch(/^ +\d+ +machine +qemu +running/m)
      expect(stdout).toMatch(/talk to 'cell'.*\n +Linux .* here: process 1 is init, one of \d+$/m)
      expect(stdout).toMatch(/talk to 'machine'.*\n +Linux .* here: process 1 is init, one of \d+$/m)
    },
  )

  test('goes on with the test driver where nothing else can be used', async () => {
    const stdout = await runExample('quickstart.mjs', {
      PATH: '/nonexistent',
      LD_LIBRARY_PATH: '/nonexistent',
    })
    expect(stdout).toMatch(/No driver can be used here: .*qemu: /)
    expect(stdout).toContain("✓ shut down 'pretended' cleanly")
  })
})
