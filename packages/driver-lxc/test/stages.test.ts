import { parseDomain } from '@covirt/xml'
import { expect, test } from '@jest/globals'
import { prepareDocument } from '../src/config/prepare-document.js'
import { stagesOf } from '../src/config/stages.js'

function stages(filesystem: string, ownIds = true) {
  const document = prepareDocument(
    parseDomain(`<domain type='lxc'><name>web</name><memory>65536</memory><os><type>exe</type></os><devices>
    <filesystem type='mount'><source dir='/srv/web'/><target dir='/'/></filesystem>${filesystem}</devices></domain>`),
  )
  const lxcfs = new Map([['proc/meminfo', '/var/lib/lxcfs/proc/meminfo']])
  const stages = stagesOf(document, {
    ownIds,
    images: new Map([['/srv/image', { path: '/run/raw', fileSystem: 'xfs' }]]),
    lxcfs,
    ephemeral: (index) => `/run/changes${index}`,
  })
  expect(stages.at(-1)).toMatchObject({ target: 'proc/meminfo', owners: 'unmapped' })
  return stages.slice(0, -1)
}

test('The owners of the root are mapped where the container has ids of its own, and nowhere else', () => {
  const root = { kind: 'tree', source: '/srv/web', target: '', readonly: false }
  expect(stages('')).toEqual([{ ...root, owners: 'mapped' }])
  expect(stages('', false)).toEqual([{ ...root, owners: 'unmapped' }])
})

test('Another directory is on its place, escaped, read-only and mapped where that can be', () => {
  const [, data] = stages(
    "<filesystem type='mount'><source dir='/srv/data'/><target dir='/my data#1'/><readonly/></filesystem>",
  )
  expect(data).toEqual({
    kind: 'tree',
    source: '/srv/data',
    target: 'my\\040data\\0431',
    readonly: true,
    owners: 'mapped-if-possible',
  })
})

test('A definition that asks for mapped owners gets them', () => {
  const [, data] = stages(
    "<filesystem type='mount' accessmode='mapped'><source dir='/srv/data'/><target dir='/data'/></filesystem>",
    false,
  )
  expect(data?.owners).toBe('mapped')
})

test('A template is overlaid with the directory that changes are kept in, or with one that goes with the guest', () => {
  const place = {
    kind: 'overlay',
    source: '/base',
    target: 'x',
    readonly: false,
    owners: 'mapped-if-possible',
  }
  const template = (source: string) =>
    stages(`<filesystem type='template'><source ${source}/><target dir='/x'/></filesystem>`)[1]
  expect(template("name='/base' dir='/kept'")).toEqual({ ...place, writable: '/kept' })
  expect(template("name='/base'")).toEqual({ ...place, writable: '/run/changes1' })
})

test('An image is mounted as what it is, from where it is shown', () => {
  const [, image] = stages(
    "<filesystem type='file'><source file='/srv/image'/><target dir='/data'/></filesystem>",
  )
  expect(image).toMatchObject({ kind: 'image', source: '/run/raw', fileSystem: 'xfs', target: 'data' })
})

test('A device of the host has a node at the same place', () => {
  const [, device] = stages(
    "<hostdev mode='capabilities' type='misc'><source><char>/dev/net/tun</char></source></hostdev>",
  )
  expect(device).toMatchObject({ kind: 'device', source: '/dev/net/tun', target: 'dev/net/tun' })
})
