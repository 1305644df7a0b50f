/**
 * What containers come down to, with users of their own and without: `lxc-core.ts RESULT`. Writes to the file RESULT what was seen.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { type Domain, type LxcDriver, open } from 'covirt'
import { busyboxRootfs } from '../fixtures/busybox-rootfs.js'
import { tempRoot, uniqueName } from '../fixtures/temp-root.js'

/** Of one container. */
export interface SeenContainer {
  readonly pausedState: string
  readonly memoryKib: number
  /** What reading the null device printed, and a disk of the host: it has made both. */
  readonly devices: string
  /** The hierarchies of control groups that it is in, without the root of one. */
  readonly groups: number
  readonly end: string
}

const [result = ''] = process.argv.slice(2)
await using root = await tempRoot()
const rootfs = await busyboxRootfs(root.join('rootfs'))
await using connection = await open(`lxc:///system?root=${root.join('root')}`)
const seen = { own: await look(''), privileged: await look('<c:privileged/>') }
await writeFile(result, JSON.stringify(seen))

async function look(options: string): Promise<SeenContainer> {
  const domain = await connection.domains.create(`<domain type='lxc'><name>${uniqueName('core')}</name>
    <memory unit='MiB'>64</memory><metadata><c:container xmlns:c='urn:covirt:lxc:1'>${options}</c:container></metadata>
    <os><type>exe</type><init>/sbin/ctinit</init></os>
    <devices><filesystem type='mount'><source dir='${rootfs}'/><target dir='/'/></filesystem></devices></domain>`)
  try {
    await domain.suspend()
    const { state: pausedState } = await domain.state()
    await domain.resume()
    const devices = await inside(
      domain,
      'cd /dev/shm 2>/dev/null || cd /tmp; cat /dev/null && echo -n null; mknod disk b 7 0 && cat disk; echo " $?"',
    )
    const { memoryKib } = await domain.info()
    const [{ pid = 0 } = {}] = await domain.listProcesses()
    const groups = (await readFile(`/proc/${pid}/cgroup`, 'utf8'))
      .split('\n')
      .filter((line) => /lxc\.payload/.test(line))
    const off = domain.waitFor('shutoff')
    await domain.shutdown()
    return { pausedState, memoryKib, devices, groups: groups.length, end: (await off).reason }
  } finally {
    for (const left of await connection.domains.list({ active: true })) await left.destroy()
  }
}

async function inside(domain: Domain<LxcDriver>, script: string): Promise<string> {
  const { stdout, stderr, exit } = await domain.exec(['/bin/sh', '-c', script], { stdin: '' })
  const [said] = await Promise.all([text(stdout), text(stderr), exit])
  return said.trim()
}
