import { expect, test } from '@jest/globals'
import { formatDomain, formatSnapshot, parseDomain, parseSnapshot, plain } from '../src/index.js'
import { snapshot } from '../src/snapshot/snapshot.js'
import { documentText } from './documents.js'

const text = `<domainsnapshot>
  <name>before-upgrade</name>
  <description>all is well</description>
  <state>running</state>
  <creationTime>1700000000</creationTime>
  <parent>
    <name>installed</name>
  </parent>
  <memory snapshot='internal' file='/never'/>
  <disks>
    <disk name='vda' snapshot='internal'>
      <driver type='qcow2'/>
    </disk>
  </disks>
  <domain type='lxc'>
    <name>web</name>
    <metadata><kept a='1'/></metadata>
  </domain>
  <cookie><x/></cookie>
</domainsnapshot>
`

test('a snapshot is written as it was read', () => {
  expect(formatSnapshot(parseSnapshot(text))).toBe(text)
})

test('a snapshot says the same when it is written anew from its values alone', () => {
  const values = plain(parseSnapshot(text))
  expect(plain(parseSnapshot(formatSnapshot(values)))).toEqual(values)
  expect(Object.keys(values)).toEqual([...snapshot.fields()].map(([key]) => key))
})

test('a snapshot holds a whole definition', () => {
  const domain = parseDomain(documentText('container-full'))
  const read = parseSnapshot(formatSnapshot({ name: 'one', domain })).domain
  expect(plain(read)).toEqual(plain(domain))
  expect(parseDomain(formatDomain(read ?? domain)).name).toBe(domain.name)
})
