/**
 * Runs the tests of containers as on hosts that are unlike this one, as root:
 *
 *     npm run test:hosts -- [HOST ...] [-- ARGUMENT-OF-JEST ...]
 *
 * Without a HOST all but the emulated one, which takes some minutes to come up; without arguments the LXC driver's tests and
 * those of the native parts.
 */
import { canRunLxc } from '../fixtures/requirements.js'
import { cgroup2Machine } from './cgroup2-machine.js'
import { cgroup2View } from './cgroup2-view.js'
import { debian13Root } from './debian13-root.js'
import type { TestHost } from './test-host.js'

const hosts: Readonly<Record<string, TestHost>> = {
  cgroup2: cgroup2View,
  debian13: debian13Root,
  'cgroup2-machine': cgroup2Machine,
}
const usual = ['cgroup2', 'debian13']
/** As much patience as is asked for, for where this host has other work. */
const emulated = ['COVIRT_EMULATED=1', `COVIRT_TIME_FACTOR=${process.env.COVIRT_TIME_FACTOR ?? 10}`]

const args = process.argv.slice(2)
const end = args.includes('--') ? args.indexOf('--') : args.length
const named = args.slice(0, end)
const jest = args.slice(end + 1)
const unknown = named.filter((name) => hosts[name] === undefined)
if (unknown.length > 0) {
  console.error(`No host is named ${unknown.join(', ')}. There are: ${Object.keys(hosts).join(', ')}`)
  process.exit(2)
}

let failed = false
for (const name of named.length > 0 ? named : usual) {
  const host = hosts[name]
  const why = canRunLxc() ?? host?.requires()
  console.error(`\n${name}: ${why === undefined ? host?.about : `left out, ${why}`}`)
  if (why !== undefined || host === undefined) continue
  const command = [
    '/usr/bin/env',
    ...(host.emulated ? emulated : []),
    process.execPath,
    // What V8 saves by machine code of its own costs more there: the machine translates that, too.
    ...(host.emulated ? ['--jitless'] : []),
    '--experimental-vm-modules',
    'node_modules/jest/bin/jest.js',
    ...(jest.length > 0 ? jest : ['packages/driver-lxc', 'native/lxc']),
    ...(host.emulated ? ['--reporters=default', '--reporters=./scripts/each-test-reporter.mjs'] : []),
  ]
  failed = (await host.run(command)) !== 0 || failed
}
process.exitCode = failed ? 1 : 0
