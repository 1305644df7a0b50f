import { open } from 'covirt'
import { busyboxRootfs } from '../test/fixtures/busybox-rootfs.js'
import { tempRoot } from '../test/fixtures/temp-root.js'

await using root = await tempRoot()
const rootfs = await busyboxRootfs(root.join('rootfs'))
const c = await open(`lxc:///system?root=${root.join('root')}`)
const d = await c.domains.define(
  `<domain type='lxc'><name>bench</name><memory unit='MiB'>64</memory><os><type>exe</type><init>/sbin/ctinit</init></os><devices><filesystem type='mount'><source dir='${rootfs}'/><target dir='/'/></filesystem><console type='pty'/></devices></domain>`,
)
for (let i = 0; i < 12; i++) {
  const t = performance.now()
  await d.start()
  console.log('total', (performance.now() - t).toFixed(1))
  await d.destroy()
}
await c.close()
