import { randomUUID } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { isVirError } from '@covirt/core'
import { open } from 'covirt'
import { firmwareGuest } from '../test/fixtures/firmware-guest.js'
import { type PrivateLibvirtd, privateLibvirtd } from '../test/fixtures/private-libvirtd.js'
import { canRunLibvirtd, canRunLxc, canRunQemu } from '../test/fixtures/requirements.js'
import { tempRoot } from '../test/fixtures/temp-root.js'
import type { Benchmark, Figures } from './benchmark.js'
import { startCovirtd } from './covirtd.js'
import { median } from './measure.js'

const count = 1000
const rounds = 5

interface Started {
  /** From the process' beginning until its list of domains has come. */
  readonly ms: number
  /** As systemd is told that clients can connect. */
  readonly readyMs: number
  readonly memoryKib: number
}

async function start(root: string, domains: number): Promise<Started> {
  const begun = performance.now()
  await using covirtd = await startCovirtd(root)
  const readyMs = performance.now() - begun
  await list(covirtd.socket, 'covirt', domains)
  return { readyMs, ms: performance.now() - begun, memoryKib: await pssOf(covirtd.pid) }
}

async function list(socket: string, scheme: string, domains: number): Promise<void> {
  await using connection = await open(`${scheme}+unix:///system?socket=${socket}` as string)
  const { length } = await connection.domains.list()
  if (length !== domains) throw new Error(`There are ${length} domains, not ${domains}`)
}

/** What it has for itself and its share of what it has with others (proc_pid_smaps(5)). */
async function pssOf(pid: number): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
  return Number(/^Pss:\s+([0-9]+) kB$/m.exec(rollup)?.[1])
}

async function machine(name: string, directory: string): Promise<string> {
  return `<domain type='qemu'><name>${name}</name><memory unit='MiB'>512</memory><vcpu>2</vcpu>
     <os><type arch='x86_64' machine='pc'>hvm</type><loader type='rom'>${await firmwareGuest()}</loader></os>
     <features><acpi/><apic/></features><devices>
     <disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='${directory}/disk'/><target dev='vda' bus='virtio'/></disk>
     <interface type='user'><model type='virtio'/></interface><console type='pty'/>
     <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
     <graphics type='vnc' port='-1'/><video><model type='cirrus'/></video></devices></domain>`
}

/** As many containers as virtual machines, as their driver has stored the first of each. */
async function define(root: string): Promise<void> {
  await mkdir(root)
  await using connection = await open(`covirt:///system?root=${root}` as string)
  const definitions = [
    `<domain type='lxc'><name>first-lxc</name><memory unit='MiB'>64</memory><os><type>exe</type><init>/sbin/init</init></os>
     <devices><filesystem type='mount'><source dir='${root}'/><target dir='/'/></filesystem>
     <interface type='ethernet'><target dev='veth0'/></interface><console type='pty'/></devices></domain>`,
    await machine('first-qemu', root),
  ]
  for (const xml of definitions) await connection.domains.define(xml)
  for (const driver of ['lxc', 'qemu']) {
    const directory = join(root, 'etc', driver)
    const text = await readFile(join(directory, `first-${driver}.xml`), 'utf8')
    for (let index = 1; index < count / 2; index++) {
      const named = text.replaceAll(`first-${driver}`, `${driver}-${index}`)
      const unique = named.replace(/<uuid>[^<]*/, `<uuid>${randomUUID()}`)
      await writeFile(join(directory, `${driver}-${index}.xml`), unique)
    }
  }
}

/** libvirt's daemon with as many virtual machines, started again: until its list has come. */
async function startPeer(libvirtd: PrivateLibvirtd): Promise<number> {
  await libvirtd.kill()
  const begun = performance.now()
  await libvirtd.start()
  for (;;) {
    try {
      await list(libvirtd.socket, 'qemu', count)
      return performance.now() - begun
    } catch (error) {
      // It accepts connections, and drops them, before it has read what it has.
      if (!isVirError(error, 'NO_CONNECT')) throw error
    }
  }
}

async function definePeers({ socket }: PrivateLibvirtd): Promise<void> {
  await using connection = await open(`qemu+unix:///system?socket=${socket}` as string)
  for (let index = 0; index < count; index++)
    await connection.domains.define(await machine(`qemu-${index}`, '/nonexistent'))
}

/** A daemon that comes up, and what a thousand domains cost it. */
export const daemonStart: Benchmark = {
  name: 'daemon-start',
  about: `covirtd until the list of ${count} domains has come; peer: libvirtd`,
  goal: undefined,
  requires: () => canRunLxc() ?? canRunQemu() ?? canRunLibvirtd(),
  run: async (): Promise<Figures> => {
    await using root = await tempRoot()
    await using libvirtd = await privateLibvirtd()
    const [full, empty] = [root.join('full'), root.join('empty')]
    await define(full)
    await definePeers(libvirtd)
    const [some, none, peers]: [Started[], Started[], number[]] = [[], [], []]
    for (let round = 0; round < rounds; round++) {
      some.push(await start(full, count))
      none.push(await start(empty, 0))
      peers.push(await startPeer(libvirtd))
    }
    const of = (all: readonly Started[], what: keyof Started) => median(all.map((each) => each[what]))
    const [ms, peerMs] = [of(some, 'ms'), median(peers)]
    return {
      ms,
      peerMs,
      ratio: ms / peerMs,
      memoryKib: of(some, 'memoryKib'),
      notes: {
        'ms to READY': of(some, 'readyMs'),
        'ms to READY without domains': of(none, 'readyMs'),
        'KiB without domains': of(none, 'memoryKib'),
      },
    }
  },
}
