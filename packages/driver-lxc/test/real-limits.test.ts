import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { readFile, truncate, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { unlimitedMemoryKib } from '@covirt/core'
import { afterAll, expect } from '@jest/globals'
import {
  canLimitContainers,
  type TempRoot,
  tempRoot,
  testWhen,
  uniqueName,
} from '../../../test/fixtures/index.js'
import { readHostFacts } from '../src/host/host-facts.js'
import { containerCgroups } from '../src/native.js'
import { LxcWorld, removeRootfs } from './lxc-fixture.js'

const run = promisify(execFile)

afterAll(removeRootfs)

/** What the kernel enforces, in the words of the version of control groups that this host has for each controller. */
type Limits = Readonly<Record<string, string>>

/** A disk of this host, and its number. */
async function someDisk(): Promise<{ readonly path: string; readonly number: string }> {
  const name = readdirSync('/sys/block').find(
    (each) => /^(vd|sd|nvme|loop)/.test(each) && existsSync(`/dev/${each}`),
  )
  return { path: `/dev/${name}`, number: (await readFile(`/sys/block/${name}/dev`, 'utf8')).trim() }
}

/** The directory of a container's control group in which the kernel has this file. */
function directoryOf(groups: ReadonlyMap<string, string>, file: string): string {
  const [controller = ''] = file.split('.')
  return groups.get(controller === 'io' ? 'blkio' : controller) ?? groups.get('') ?? ''
}

/** A disk of our own, with the scheduler that knows weights. */
async function weighedDisk(
  root: TempRoot,
): Promise<{ readonly path: string; readonly number: string } & AsyncDisposable> {
  await writeFile(root.join('disk'), '')
  await truncate(root.join('disk'), 1 << 20)
  const { stdout } = await run('losetup', ['--find', '--show', root.join('disk')])
  const path = stdout.trim()
  const block = `/sys/block/${basename(path)}`
  const scheduler = `${block}/queue/scheduler`
  // The one in brackets.
  const [, before = 'none'] = /\[(.+)\]/.exec(await readFile(scheduler, 'utf8')) ?? []
  const detach = async () => {
    await writeFile(scheduler, before)
    await run('losetup', ['--detach', path])
  }
  try {
    await writeFile(scheduler, 'bfq')
  } catch (error) {
    await detach()
    throw error
  }
  const number = (await readFile(`${block}/dev`, 'utf8')).trim()
  return { path, number, [Symbol.asyncDispose]: detach }
}

const facts = await readHostFacts()
const bfqIsHere =
  facts.controllers.blkio === 1
    ? existsSync('/sys/fs/cgroup/blkio/blkio.bfq.io_serviced')
    : facts.ioWeights.includes('io.bfq.weight')

/** What a control group has of weights, in the files that are there. */
async function weightsIn(directory: string, files: readonly string[]): Promise<Record<string, string>> {
  const here = files.filter((file) => existsSync(join(directory, file)))
  const texts = here.map(async (file) => [file, await readFile(join(directory, file), 'utf8')] as const)
  return Object.fromEntries(await Promise.all(texts))
}

testWhen(
  canLimitContainers() ?? (bfqIsHere ? undefined : 'BFQ is not in this kernel'),
  'a disk has the weight of a definition, another one, and none of its own any more',
  async () => {
    await using root = await tempRoot()
    await using disk = await weighedDisk(root)
    const { path, number } = disk
    await using world = await LxcWorld.make()
    await using connection = await world.open()
    const domain = await connection.domains.define(
      world.domainXml({
        name: uniqueName('weight'),
        elements: `<blkiotune><weight>300</weight><device><path>${path}</path><weight>200</weight></device></blkiotune>`,
      }),
    )
    await domain.start()
    try {
      const groups = await containerCgroups(await world.initPid(domain))
      const directory = groups.get('blkio') ?? groups.get('') ?? ''
      const file = groups.has('blkio') ? 'blkio.bfq.weight_device' : 'io.bfq.weight'
      const others = facts.ioWeights.filter((other) => other !== file)
      const have = async (all: number, own: string) =>
        expect(await weightsIn(directory, [file, ...others])).toEqual({
          [file]: `default ${all}\n${own}`,
          ...Object.fromEntries(others.map((other) => [other, `default ${all}\n`])),
        })
      await have(300, `${number} 200\n`)
      await domain.setBlkioParameters({ weight: 400, devices: [{ path, weight: 250 }] })
      await have(400, `${number} 250\n`)
      await domain.setBlkioParameters({ weight: 0, devices: [{ path, weight: 0 }] })
      await have(100, '')
    } finally {
      await domain.destroy()
    }
  },
)

testWhen(
  canLimitContainers(),
  'the kernel has the limits of a definition, those that change, and none any more',
  async () => {
    await using world = await LxcWorld.make()
    await using connection = await world.open()
    const { path, number } = await someDisk()
    const domain = await connection.domains.define(
      world.domainXml({
        name: uniqueName('limits'),
        elements: `<memtune><soft_limit unit='KiB'>49152</soft_limit></memtune><blkiotune><device><path>${path}</path>
        <read_bytes_sec>1048576</read_bytes_sec><write_iops_sec>100</write_iops_sec></device></blkiotune>
        <cputune><shares>512</shares><period>50000</period><quota>25000</quota></cputune>`,
      }),
    )
    await domain.start()
    try {
      const groups = await containerCgroups(await world.initPid(domain))
      const have = async (legacy: Limits, unified: Limits) => {
        const wanted = { ...legacy, ...unified }
        const here = Object.keys(wanted).filter((file) => existsSync(join(directoryOf(groups, file), file)))
        const found = here.map(async (file) => {
          const text = await readFile(join(directoryOf(groups, file), file), 'utf8')
          return [file, text.trim()] as const
        })
        expect(here.length).toBeGreaterThanOrEqual(Object.keys(unified).length)
        expect(Object.fromEntries(await Promise.all(found))).toEqual(
          Object.fromEntries(here.map((file) => [file, wanted[file]])),
        )
      }
      await have(
        {
          'memory.limit_in_bytes': '67108864',
          'memory.soft_limit_in_bytes': '50331648',
          'cpu.shares': '512',
          'cpu.cfs_period_us': '50000',
          'cpu.cfs_quota_us': '25000',
          'blkio.throttle.read_bps_device': `${number} 1048576`,
          'blkio.throttle.write_iops_device': `${number} 100`,
          'pids.max': '16384',
        },
        {
          'memory.max': '67108864',
          'memory.high': '50331648',
          'cpu.weight': '20',
          'cpu.max': '25000 50000',
          'io.max': `${number} rbps=1048576 wbps=max riops=max wiops=100`,
          'pids.max': '16384',
        },
      )
      await domain.setMemoryParameters({ hardLimitKib: 61_440n, softLimitKib: 40_960n })
      await domain.setSchedulerParameters({ shares: 2048n, periodUs: 100_000n, quotaUs: 30_000n })
      await domain.setBlkioParameters({ devices: [{ path, readBytesSec: 2_097_152n }] })
      await have(
        {
          'memory.limit_in_bytes': '62914560',
          'memory.soft_limit_in_bytes': '41943040',
          'cpu.shares': '2048',
          'cpu.cfs_period_us': '100000',
          'cpu.cfs_quota_us': '30000',
          'blkio.throttle.read_bps_device': `${number} 2097152`,
          'blkio.throttle.write_iops_device': `${number} 100`,
        },
        {
          'memory.max': '62914560',
          'memory.high': '41943040',
          'cpu.weight': '79',
          'cpu.max': '30000 100000',
          'io.max': `${number} rbps=2097152 wbps=max riops=max wiops=100`,
        },
      )
      await domain.setMemoryParameters({ softLimitKib: unlimitedMemoryKib })
      await domain.setSchedulerParameters({ quotaUs: -1n })
      await domain.setBlkioParameters({ devices: [{ path, readBytesSec: 0n, writeIopsSec: 0 }] })
      await have(
        {
          'cpu.cfs_quota_us': '-1',
          'blkio.throttle.read_bps_device': '',
          'blkio.throttle.write_iops_device': '',
        },
        { 'memory.high': 'max', 'cpu.max': 'max 100000', 'io.max': '' },
      )
    } finally {
      await domain.destroy()
    }
  },
)
