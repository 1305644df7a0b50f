import { readFileSync, writeFileSync } from 'node:fs'
import type { DriverFixture } from '@covirt/contract'
import { afterAll, describe, expect, test } from '@jest/globals'
import { lxcFixture, removeRootfs } from '../packages/driver-lxc/test/lxc-fixture.js'
import { QemuWorld } from '../packages/driver-qemu/test/qemu-world.js'
import { testFixture } from '../packages/driver-test/test/test-fixture.js'
import { canRunLxc, canRunQemu } from './fixtures/index.js'
import type { FaultCase } from './support/fault-case.js'
import { budgets, FaultScene } from './support/fault-scene.js'
import { guestStopCases } from './support/guest-stop-cases.js'
import { planStopCases } from './support/plan-stop-cases.js'
import { startCases } from './support/start-cases.js'

/** The whole matrix on real guests takes minutes: `COVIRT_FAULT_MATRIX=all`, which also writes the table. */
const whole = process.env.COVIRT_FAULT_MATRIX === 'all'
const document = new URL('../docs/fault-matrix.md', import.meta.url)

interface Column {
  readonly name: string
  readonly requirement: string | undefined
  readonly fixture: Pick<DriverFixture, 'world' | 'leftOut'>
  /** How many worlds there are at a time. */
  readonly width: number
}

const qemuFixture = {
  leftOut: { advance: 'time is real' },
  world: () => QemuWorld.make('qemu', { agent: false }),
}
const columns: readonly Column[] = [
  { name: 'simulated', requirement: undefined, fixture: testFixture({ virtual: false }), width: 60 },
  ...(whole
    ? [
        { name: 'LXC', requirement: canRunLxc(), fixture: lxcFixture, width: 3 },
        { name: 'QEMU', requirement: canRunQemu(), fixture: qemuFixture, width: 3 },
      ]
    : []),
]

interface Row {
  readonly fault: FaultCase
  readonly phase: 'start' | 'stop'
}

const rows: readonly Row[] = [
  ...[...guestStopCases, ...planStopCases].map((fault) => ({ fault, phase: 'stop' as const })),
  ...startCases.map((fault) => ({ fault, phase: 'start' as const })),
]

/** What came of it: the outcomes in words, or what was wrong. */
async function examine({ fault, phase }: Row, { fixture }: Column): Promise<string> {
  const lacking = fault.needs?.find((ability) => fixture.leftOut[ability] !== undefined)
  if (lacking !== undefined) return '–'
  await using scene = await FaultScene.make(await fixture.world())
  if (fault.role && !scene.driver[fault.role]) return '–'
  const report = await fault.run(scene)
  const outcomes = scene.outcomes(report)
  expect(outcomes).toEqual(fault.expected)
  expect(await scene.activeLabels()).toEqual(fault.left ?? [])
  if (phase === 'stop')
    expect(report.tookMs).toBeLessThanOrEqual((fault.deadlineMs ?? budgets.deadlineMs) + 2000)
  expect(scene.forcedTooSoon(report, fault.forcedAfterMs ?? {})).toEqual([])
  const unexplained = report.results.filter(
    ({ outcome, reason }) => outcome !== 'clean' && outcome !== 'ready' && !reason,
  )
  expect(unexplained).toEqual([])
  return Object.values(outcomes).join(', ')
}

/** Runs all rows, so many at a time; a row that goes wrong is an error in its place. */
function runAll(column: Column): readonly Promise<string>[] {
  const results: Promise<string>[] = []
  for (const [index, row] of rows.entries()) {
    const before = results[index - column.width] ?? Promise.resolve('')
    const result = before.catch(() => {}).then(() => examine(row, column))
    result.catch(() => {})
    results.push(result)
  }
  return results
}

const table = new Map<string, string[]>()

afterAll(removeRootfs)

describe.each(columns.filter(({ requirement }) => requirement === undefined))('$name guests', (column) => {
  let results: readonly Promise<string>[] | undefined
  test.each(rows.map((row, index) => [`${row.phase}: ${row.fault.title}`, row, index] as const))(
    '%s',
    async (title, _row, index) => {
      results ??= runAll(column)
      const outcome = await results[index]
      table.set(title, [...(table.get(title) ?? []), outcome ?? ''])
    },
    300_000,
  )
})

test('the table in docs/ is of these cases', () => {
  const inDocument = readFileSync(document, 'utf8')
    .split('\n')
    .filter((line) => /^\| (start|stop): /.test(line))
    .map((line) => line.split('|')[1]?.trim())
  if (whole) writeFileSync(document, asDocument())
  else expect(inDocument).toEqual(rows.map(({ phase, fault }) => `${phase}: ${fault.title}`))
})

function asDocument(): string {
  const heading = ['Fault', ...columns.map(({ name }) => name)]
  const lines = [...table].map(([title, outcomes]) => `| ${[title, ...outcomes].join(' | ')} |`)
  return `# What comes of what goes wrong

Written by \`npm run fault-matrix\`: each fault, brought about in guests that are simulated, in real containers and in real
virtual machines, with what became of the domains. \`clean\`: off when asked; \`forced\`: ended without its cooperation, with
the reason in the journal; \`gone\`: off by itself before. Every run ended within its deadline and two seconds, and no guest
was forced that would have gone by itself in its budget. A dash: that technology has no such thing.

| ${heading.join(' | ')} |
| ${heading.map(() => '---').join(' | ')} |
${lines.join('\n')}
`
}
