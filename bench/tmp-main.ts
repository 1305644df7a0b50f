import { mkdir, readFile } from 'node:fs/promises'
import { open } from 'covirt'
import { busyboxRootfs } from '../test/fixtures/busybox-rootfs.js'
import { tempRoot } from '../test/fixtures/temp-root.js'
await using root = await tempRoot()
const rootfs = await busyboxRootfs(root.join('rootfs'))
await using connection = await open(`lxc:///system?root=${root.join('root')}`)
const domain = await connection.domains.define(`<domain type='lxc'>
    <name>bench</name><memory unit='MiB'>64</memory>
    <os><type>exe</type><init>/sbin/ctinit</init></os>
    <devices><filesystem type='mount'><source dir='${rootfs}'/><target dir='/'/></filesystem>
    <console type='pty'/></devices></domain>`)
const all: Record<string, number[]> = {}
for (let i = 0; i < 40; i++) {
  let t0 = performance.now()
  ;(globalThis as any).__M = (n: string) => (all[n] ??= []).push(performance.now() - t0)
  await domain.start()
  ;(globalThis as any).__M('done')
  ;(globalThis as any).__M = undefined
  await domain.shutdown()
  await domain.waitFor('shutoff')
}
const med = (a: number[]) => a.sort((x, y) => x - y)[a.length >> 1]!
for (const [n, a] of Object.entries(all)) console.log(n, med(a).toFixed(2))
