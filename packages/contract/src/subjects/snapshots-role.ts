import type { Domain } from '@covirt/core'
import { expect } from '@jest/globals'
import type { Suite } from '../suite.js'

/** The role `snapshots`. */
export function snapshotsRole({ test, needing }: Suite): void {
  test('the first snapshot of a domain that is off is its current one and has no parent', async (scene) => {
    const domain = await scene.define()
    const taken = await domain.createSnapshot(named('one', '<description>before</description>'))
    expect(taken).toEqual({
      name: 'one',
      description: 'before',
      state: 'shutoff',
      createdAt: expect.any(Number),
      current: true,
    })
    expect(await domain.listSnapshots()).toEqual([taken])
  })

  test('a domain without any has an empty list', async (scene) => {
    expect(await (await scene.define()).listSnapshots()).toEqual([])
  })

  test('snapshots without names get different ones', async (scene) => {
    const domain = await scene.define()
    const taken = [await domain.createSnapshot(), await domain.createSnapshot()]
    expect(new Set(taken.map(({ name }) => name)).size).toBe(2)
  })

  test('each is the child of the one before, and they outlive the connection', async (scene) => {
    const domain = await scene.define()
    await family(domain)
    await scene.reopen()
    expect(await treeOf(await scene.again(domain))).toEqual(['one', 'one/two', 'two/three*'])
  })

  test('its document has what it was asked for, what was found, and the definition', async (scene) => {
    const domain = await scene.define({ elements: '<title>then</title>' })
    await domain.createSnapshot(named('one', '<description>d</description><other a="1"/>'))
    await domain.createSnapshot(named('two'))
    const xml = await domain.snapshotXml('two')
    for (const part of ['<name>two</name>', '<state>shutoff</state>', '<title>then</title>'])
      expect(xml).toContain(part)
    expect(xml).toMatch(/<parent>\s*<name>one<\/name>\s*<\/parent>/)
    expect(xml).toMatch(/<creationTime>\d+<\/creationTime>/)
    expect(await domain.snapshotXml('one')).toContain('<other a="1"/>')
  })

  test('of a guest that runs it leaves that as it was, and tells nothing', async (scene) => {
    const domain = await scene.running()
    expect(await scene.eventsOf(() => domain.createSnapshot())).toEqual([])
    expect(await domain.state()).toMatchObject({ state: 'running' })
    const [snapshot] = await domain.listSnapshots()
    expect(['running', 'disk-snapshot']).toContain(snapshot?.state)
  })

  test('of a guest that is paused it leaves that paused', async (scene) => {
    const domain = await scene.paused()
    await domain.createSnapshot()
    expect(await domain.state()).toMatchObject({ state: 'paused' })
    const [snapshot] = await domain.listSnapshots()
    expect(['paused', 'disk-snapshot']).toContain(snapshot?.state)
  })

  test('without memory it is of the storage alone', async (scene) => {
    const domain = await scene.running()
    await expect(domain.createSnapshot(undefined, { diskOnly: true })).resolves.toMatchObject({
      state: 'disk-snapshot',
    })
    const xml = named('two', "<memory snapshot='no'/>")
    await expect(domain.createSnapshot(xml)).resolves.toMatchObject({ state: 'disk-snapshot' })
  })

  test('a name that is taken, and one that is none, are refused', async (scene) => {
    const domain = await scene.define()
    await domain.createSnapshot(named('one'))
    await scene.refuses('OPERATION_INVALID', () => domain.createSnapshot(named('one')))
    await scene.refuses('XML_ERROR', () => domain.createSnapshot(named('../one')))
    expect(await treeOf(domain)).toEqual(['one*'])
  })

  test('storage in other places is refused', async (scene) => {
    const domain = await scene.define()
    const xml = named('one', "<disks><disk name='vda' snapshot='external'/></disks>")
    await scene.refuses('CONFIG_UNSUPPORTED', () => domain.createSnapshot(xml))
    await scene.refuses('CONFIG_UNSUPPORTED', () =>
      domain.createSnapshot(named('one', "<memory snapshot='internal'/>")),
    )
  })

  needing('storage', 'a revert brings back what was stored', async (scene) => {
    const domain = await scene.define()
    await scene.world.storage?.write(domain, 'then')
    await domain.createSnapshot(named('one'))
    await scene.world.storage?.write(domain, 'now')
    await domain.revertToSnapshot('one')
    expect(await scene.world.storage?.read(domain)).toBe('then')
    await scene.world.storage?.write(domain, 'later')
    await domain.revertToSnapshot('one')
    expect(await scene.world.storage?.read(domain)).toBe('then')
  })

  needing('storage', 'a revert of a guest that runs ends it, and the storage is as it was', async (scene) => {
    const domain = await scene.running()
    await scene.world.storage?.write(domain, 'then')
    await domain.createSnapshot(named('one'), { diskOnly: true })
    await scene.world.storage?.write(domain, 'now')
    expect(await scene.eventsOf(() => domain.revertToSnapshot('one'))).toEqual(['stopped/from-snapshot'])
    expect(await domain.state()).toEqual({ state: 'shutoff', reason: 'from-snapshot' })
    expect(await scene.world.storage?.read(domain)).toBe('then')
  })

  test('a revert to a snapshot with memory has the guest run again, one without where told to', async (scene) => {
    const domain = await scene.running()
    const { state } = await domain.createSnapshot(named('one'))
    const events = await scene.eventsOf(() =>
      domain.revertToSnapshot('one', state === 'running' ? {} : { running: true }),
    )
    expect(events).toEqual(['stopped/from-snapshot', 'started/from-snapshot'])
    expect(await domain.state()).toEqual({ state: 'running', reason: 'from-snapshot' })
  })

  test('a revert can leave the guest paused', async (scene) => {
    const domain = await scene.define()
    await domain.createSnapshot(named('one'))
    const events = await scene.eventsOf(() => domain.revertToSnapshot('one', { paused: true }))
    expect(events).toEqual(['started/from-snapshot', 'suspended/from-snapshot'])
    expect(await domain.state()).toEqual({ state: 'paused', reason: 'from-snapshot' })
  })

  test('a revert brings back the definition, under the name that the domain has now', async (scene) => {
    const domain = await scene.define({ elements: '<title>then</title>' })
    await domain.createSnapshot(named('one'))
    await domain.rename(scene.world.uniqueName('new'))
    await scene.define({ name: domain.name, uuid: domain.uuid, elements: '<title>now</title>' })
    const revert = () => domain.revertToSnapshot('one')
    expect(await scene.eventsOf(revert)).toEqual(['defined/from-snapshot'])
    expect(await domain.xml()).toContain('<title>then</title>')
    expect(await domain.xml()).toContain(`<name>${domain.name}</name>`)
    expect(await scene.eventsOf(revert)).toEqual([])
    await scene.reopen()
    expect(await (await scene.again(domain)).xml()).toContain('<title>then</title>')
  })

  test('what is taken after a revert is a child of what was reverted to', async (scene) => {
    const domain = await scene.define()
    await family(domain)
    await domain.revertToSnapshot('one')
    await domain.createSnapshot(named('four'))
    expect(await treeOf(domain)).toEqual(['one', 'one/two', 'two/three', 'one/four*'])
  })

  test('the children of a deleted one become those of its parent', async (scene) => {
    const domain = await scene.define()
    await family(domain)
    await domain.deleteSnapshot('two')
    expect(await treeOf(domain)).toEqual(['one', 'one/three*'])
    await domain.deleteSnapshot('three')
    expect(await treeOf(domain)).toEqual(['one*'])
    await domain.revertToSnapshot('one')
  })

  test('one is deleted with all that descend from it, or those without it', async (scene) => {
    const domain = await scene.define()
    await family(domain)
    await domain.deleteSnapshot('one', { children: 'only' })
    expect(await treeOf(domain)).toEqual(['one*'])
    await domain.createSnapshot(named('two'))
    await domain.deleteSnapshot('one', { children: 'too' })
    expect(await treeOf(domain)).toEqual([])
  })

  test('one that is not there can be neither shown nor reverted to nor deleted', async (scene) => {
    const domain = await scene.define()
    await scene.refuses('NO_DOMAIN_SNAPSHOT', () => domain.snapshotXml('missing'))
    await scene.refuses('NO_DOMAIN_SNAPSHOT', () => domain.revertToSnapshot('missing'))
    await scene.refuses('NO_DOMAIN_SNAPSHOT', () => domain.deleteSnapshot('missing'))
  })

  test('a domain with snapshots is not undefined, and is once they are deleted', async (scene) => {
    const domain = await scene.define()
    await domain.createSnapshot(named('one'))
    await scene.refuses('OPERATION_INVALID', () => domain.undefine())
    await domain.deleteSnapshot('one')
    await domain.undefine()
  })

  test('a guest whose snapshot was taken goes off and can be started again', async (scene) => {
    const domain = await scene.running()
    await domain.createSnapshot()
    await domain.destroy()
    await domain.start()
    await scene.until(scene.world.ready(domain))
  })
}

function named(name: string, rest = ''): string {
  return `<domainsnapshot><name>${name}</name>${rest}</domainsnapshot>`
}

/** Three of them, each the child of the one before. */
async function family(domain: Domain): Promise<void> {
  for (const name of ['one', 'two', 'three']) await domain.createSnapshot(named(name))
}

/** `PARENT/NAME` of each, the current one with a star. */
async function treeOf(domain: Domain): Promise<string[]> {
  return (await domain.listSnapshots()).map(
    ({ name, parent, current }) => `${parent === undefined ? '' : `${parent}/`}${name}${current ? '*' : ''}`,
  )
}
