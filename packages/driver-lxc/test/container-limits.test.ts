import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { expect, jest, test } from '@jest/globals'
import { type TempRoot, tempRoot } from '../../../test/fixtures/index.js'

let group = ''
const native = await import('../src/native.js')
jest.unstable_mockModule('../src/native.js', () => ({
  ...native,
  containerCgroups: async () => new Map([['', group]]),
}))
const { changeLimits, restoreLimits } = await import('../src/guest/container-limits.js')

/** A control group of version 2 that is files and no more. */
async function makeGroup(files: Readonly<Record<string, string>>): Promise<TempRoot> {
  const root = await tempRoot()
  group = root.join('group')
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(root.join('group', name)), { recursive: true })
    await writeFile(root.join('group', name), text)
  }
  return root
}

const value = (name: string) => readFile(`${group}/${name}`, 'utf8')

test('what is limited no more is written as that', async () => {
  await using _root = await makeGroup({ 'io.max': '', 'cpu.max': '', 'memory.high': '' })
  const io = ['lxc.cgroup2.io.max', '8:0 rbps=1000'] as const
  await changeLimits(1, [], [io, ['lxc.cgroup2.cpu.max', '5000 10000']])
  expect(await value('io.max')).toBe('8:0 rbps=max wbps=max riops=max wiops=max rbps=1000')
  expect(await value('cpu.max')).toBe('5000 10000')
  await changeLimits(1, [io, ['lxc.cgroup2.cpu.max', '5000 10000']], [['lxc.cgroup2.memory.high', '4096']])
  expect(await value('io.max')).toBe('8:0 rbps=max wbps=max riops=max wiops=max')
  expect(await value('cpu.max')).toBe('max 100000')
  expect(await value('memory.high')).toBe('4096')
})

test('a guest is not ended for want of memory, and what was changed before is taken back', async () => {
  await using _root = await makeGroup({
    'cpu.weight': '100',
    'memory.max': '8192',
    'memory.high': 'max',
    'memory.current': '6000',
  })
  const from = [['lxc.cgroup2.memory.max', '8192'] as const]
  const to = [['lxc.cgroup2.cpu.weight', '50'] as const, ['lxc.cgroup2.memory.max', '4096'] as const]
  await expect(changeLimits(1, from, to)).rejects.toMatchObject({ code: 'OPERATION_FAILED' })
  expect([await value('cpu.weight'), await value('memory.max'), await value('memory.high')]).toEqual([
    '100',
    '8192',
    'max',
  ])
})

test('what a guest comes up with is limited as far as it can be, and what is limited no more is free', async () => {
  await using _root = await makeGroup({
    'cpu.max': '',
    'cpuset.cpus': '',
    'pids.max': '',
    'memory.max': '8192',
    'memory.high': 'max',
    'memory.current': '6000',
  })
  const launched = [
    ['lxc.cgroup2.memory.max', '8192'],
    ['lxc.cgroup2.cpu.max', '5000 10000'],
    ['lxc.cgroup2.cpuset.cpus', '1'],
    ['lxc.cgroup2.pids.max', '64'],
  ] as const
  const wanted = [
    ['lxc.cgroup2.memory.max', '4096'],
    ['lxc.cgroup2.cpu.max', '7000 10000'],
  ] as const
  expect(await restoreLimits(1, launched, wanted)).toEqual([
    expect.objectContaining({ code: 'OPERATION_FAILED' }),
  ])
  const names = ['memory.max', 'cpu.max', 'cpuset.cpus', 'pids.max']
  expect(await Promise.all(names.map(value))).toEqual(['8192', '7000 10000', '\n', 'max'])
})

test('a disk that has no weight of its own any more has that of the others', async () => {
  const files = ['io.weight', 'io.bfq.weight', 'blkio.bfq.weight_device']
  await using _root = await makeGroup(Object.fromEntries(files.map((file) => [file, ''])))
  for (const file of files) await changeLimits(1, [[`lxc.cgroup2.${file}`, '8:0 200']], [])
  expect(await Promise.all(files.map(value))).toEqual(files.map(() => '8:0 default'))
})

test('a limit that the host does not have is not set', async () => {
  await using _root = await makeGroup({})
  await expect(changeLimits(1, [], [['lxc.cgroup.blkio.bfq.weight', '5']])).rejects.toMatchObject({
    code: 'OPERATION_UNSUPPORTED',
  })
})
