import { expect, test } from '@jest/globals'
import { simulate } from 'covirt'

const domain = (name: string, start = '') => `<domain type='lxc'><name>${name}</name>
  <metadata><lifecycle xmlns='urn:covirt:lifecycle:1'>${start}</lifecycle></metadata>
  <os><type>exe</type><init>/sbin/init</init></os></domain>`

const domains = [domain('db'), domain('web', "<start><after domain='db'/></start>")]

test('plans of any driver’s domains are tried out without it', async () => {
  const { up, down } = await simulate({ domains })
  expect(up.results.map(({ name, outcome }) => [name, outcome])).toEqual([
    ['db', 'ready'],
    ['web', 'ready'],
  ])
  expect(down.results.map(({ name, outcome }) => [name, outcome])).toEqual([
    ['web', 'clean'],
    ['db', 'clean'],
  ])
})

test('faults happen by script, and one simulation leaves nothing to the next', async () => {
  const faults = [{ domain: 'db', kind: 'fail-start' }] as const
  const { up } = await simulate({ domains, faults })
  expect(up.results.map(({ outcome }) => outcome)).toEqual(['failed', 'skipped'])
  expect((await simulate({ domains })).up.results.map(({ outcome }) => outcome)).toEqual(['ready', 'ready'])
})
