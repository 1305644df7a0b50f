// `node --import ./scripts/typescript.mjs bench/soak.ts [MINUTES] [CONCURRENT]`: programs, starts and stops of real
// containers, many at a time and at random. Ends with an error where a call does not come back, or where anything is left.
import { readdirSync, readlinkSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { isVirError } from '@covirt/core'
import { type Domain, type LxcDriver, open } from 'covirt'
import { busyboxRootfs } from '../test/fixtures/busybox-rootfs.js'
import { expectMachineUnchanged, machineState } from '../test/fixtures/machine-state.js'
import { tempRoot } from '../test/fixtures/temp-root.js'

const [minutes = 10, concurrent = 200] = process.argv.slice(2).map(Number)
/** Longer than any call may wait for others (30 s), and do its work on a machine that is busy. */
const patienceMs = 120_000
const containers = Math.max(1, Math.round(concurrent / 10))

type Act = (domain: Domain<LxcDriver>) => Promise<unknown>

const acts: Readonly<Record<string, Act>> = {
  start: (domain) => domain.start(),
  shutdown: (domain) => domain.shutdown(),
  destroy: (domain) => domain.destroy(),
  exec: async (domain) => {
    const { exit, stdout } = await domain.exec(['/bin/echo', 'hello'], { stdin: '' })
    const [said, end] = await Promise.all([text(stdout), exit])
    if ('code' in end && end.code === 0 && said !== 'hello\n') throw new Error(`echo said '${said}'`)
  },
  cancel: async (domain) => {
    const { exit } = await domain.exec(['/bin/sleep', '1000'], { signal: AbortSignal.timeout(50) })
    await exit
  },
  processes: (domain) => domain.listProcesses(),
  files: (domain) => domain.writeFile('/tmp/soak', 'content'),
}

/** Programs are most of it, as in life. */
const odds = [
  'start',
  'start',
  'shutdown',
  'destroy',
  'cancel',
  'processes',
  'files',
  ...Array(7).fill('exec'),
]

await using root = await tempRoot()
await using connection = await open(`lxc:///system?root=${root.join('root')}`)
const domains: Domain<LxcDriver>[] = []
for (let index = 0; index < containers; index++) {
  const rootfs = await busyboxRootfs(root.join(`rootfs-${index}`))
  domains.push(
    await connection.domains.define(`<domain type='lxc'><name>soak-${process.pid}-${index}</name>
    <memory unit='MiB'>64</memory><os><type>exe</type><init>/sbin/ctinit</init></os>
    <devices><filesystem type='mount'><source dir='${rootfs}'/><target dir='/'/></filesystem></devices></domain>`),
  )
}
// A process keeps the program that enters containers open, once for all, from when it first enters one.
const [first] = domains
await first?.start()
if (first) await acts.exec?.(first)
await first?.destroy()
const machine = machineState()
const before = descriptors()
const counts: Record<string, number> = {}
const end = Date.now() + minutes * 60_000
let slowestMs = 0

/** Right answers where a domain is going up or down, or runs already. */
const expected: ReadonlySet<string> = new Set(['OPERATION_INVALID', 'OPERATION_ABORTED', 'OPERATION_TIMEOUT'])

async function work(): Promise<void> {
  while (Date.now() < end) {
    const name = odds[Math.floor(Math.random() * odds.length)] as string
    const domain = domains[Math.floor(Math.random() * domains.length)] as Domain<LxcDriver>
    const begun = Date.now()
    const outcome = await Promise.race([settled((acts[name] as Act)(domain)), late(name)])
    slowestMs = Math.max(slowestMs, Date.now() - begun)
    counts[`${name}: ${outcome}`] = (counts[`${name}: ${outcome}`] ?? 0) + 1
  }
}

async function settled(call: Promise<unknown>): Promise<string> {
  try {
    await call
    return 'done'
  } catch (error) {
    if (isVirError(error)) return expected.has(error.code) ? error.code : `${error.code}: ${reasonOf(error)}`
    throw error
  }
}

/** Alike for all domains and processes. */
function reasonOf({ message }: Error): string {
  return message.replace(/soak-\d+-\d+/g, 'NAME').replace(/\d+/g, 'N')
}

function late(name: string): Promise<never> {
  return new Promise((_resolve, reject) => {
    setTimeout(() => reject(new Error(`${name} has not come back in ${patienceMs} ms`)), patienceMs).unref()
  })
}

await Promise.all(Array.from({ length: concurrent }, work))
await Promise.all(domains.map((domain) => domain.destroy().catch(() => {})))
await expectMachineUnchanged(machine, { token: `soak-${process.pid}` })
const left = [...descriptors()].filter((each) => !before.includes(each))
console.log(
  JSON.stringify({ minutes, concurrent, containers, slowestMs, descriptorsLeft: left, counts }, null, 2),
)
if (left.length > 0) throw new Error('Descriptors are left')

/** What this process has open: number and target of each (proc_pid_fd(5)), but for that by which it looks. */
function descriptors(): readonly string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [`${fd} ${readlinkSync(`/proc/self/fd/${fd}`)}`]
    } catch {
      return []
    }
  })
}
