import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import { canRunLinuxGuest, canRunLxc, linuxGuest, tempRoot, testWhen } from '../../../test/fixtures/index.js'
import { rootInitrd } from '../../../test/fixtures/root-initrd.js'

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

async function runExample(
  name: string,
  environment: NodeJS.ProcessEnv = {},
  args: readonly string[] = [],
): Promise<string> {
  const { NODE_OPTIONS: _, ...inherited } = process.env
  const { stdout } = await run(process.execPath, [`${directory}/${name}`, ...args], {
    env: { ...inherited, ...environment },
  })
  return stdout
}

test('every example is run here', () => {
  const files = readdirSync(directory).filter((name) => name.endsWith('.mjs'))
  expect(files.sort()).toEqual([...Object.keys(programs), 'quickstart.mjs', 'same-tree.mjs'].sort())
})

test.each(Object.entries(programs))('%s does what it says', async (name, expected) => {
  expect(await runExample(name)).toMatch(expected)
})

testWhen(
  canRunLxc() ?? canRunLinuxGuest(),
  'same-tree.mjs boots one tree as a container, and as a machine from a disk and by virtiofs',
  async () => {
    await using root = await tempRoot()
    const { kernel } = await linuxGuest()
    const printed = await runExample('same-tree.mjs', { TMPDIR: root.path }, [kernel, await rootInitrd()])
    expect(printed).toBe(
      'container: container\ndisk: container disk\nvirtiofs: container shared\ncontainer: container shared\n',
    )
    expect(readdirSync(root.path)).toEqual([])
  },
  120_000,
)

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
