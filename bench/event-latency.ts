/**
 * How long after a container's init was killed its end is told, and how long after that all it held is free:
 * `npm run event-latency [-- KILLS]`. Prints figures as JSON; `deadMs` is when the kernel says that it is dead (pidfd_open(2)),
 * before which nobody can know.
 */
import { readFile } from 'node:fs/promises'
import { loadavg } from 'node:os'
import { watchPidfd } from '@covirt/native-lxc'
import { open } from 'covirt'
import { busyboxRootfs } from '../test/fixtures/busybox-rootfs.js'
import { tempRoot, uniqueName } from '../test/fixtures/temp-root.js'
import { untilFree } from './until-free.js'

const [kills = 1000] = process.argv.slice(2).map(Number)
const warmUp = 20

await using root = await tempRoot()
const rootfs = await busyboxRootfs(root.join('rootfs'))
await using connection = await open(`lxc:///system?root=${root.join('root')}`)
const { driver } = connection
const domain = await connection.domains.define(`<domain type='lxc'><name>${uniqueName('latency')}</name>
  <memory unit='MiB'>64</memory><os><type>exe</type><init>/sbin/ctinit</init></os>
  <devices><filesystem type='mount'><source dir='${rootfs}'/><target dir='/'/></filesystem></devices></domain>`)
const dead: number[] = []
const told: number[] = []
const free: number[] = []
for (let count = -warmUp; count < kills; count++) {
  await domain.start()
  const status = await readFile(root.join('root/run/lxc', `${domain.name}.json`), 'utf8')
  const { record } = JSON.parse(status) as { record: { initPid: number } }
  const stopped = new Promise<number>((resolve) => {
    const unsubscribe = driver.subscribe((event) => {
      if (event.type !== 'lifecycle' || event.event !== 'stopped') return
      unsubscribe()
      resolve(performance.now())
    })
  })
  const died = new Promise<number>((resolve) => {
    watchPidfd(record.initPid, () => resolve(performance.now()))
  })
  const killedAt = performance.now()
  process.kill(record.initPid, 'SIGKILL')
  const toldAt = await stopped
  const diedAt = await died
  await untilFree(domain)
  if (count < 0) continue
  dead.push(diedAt - killedAt)
  told.push(toldAt - killedAt)
  free.push(performance.now() - killedAt)
}
await domain.undefine()
process.stdout.write(
  `${JSON.stringify({ kills, deadMs: spread(dead), toldMs: spread(told), freeMs: spread(free), load: loadavg() }, undefined, 2)}\n`,
)

function spread(values: readonly number[]) {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) => Math.round((sorted[Math.floor((sorted.length - 1) * share)] ?? 0) * 100) / 100
  return { median: at(0.5), p90: at(0.9), p99: at(0.99), most: at(1) }
}
