import type { Domain } from '@covirt/core'
import { expect } from '@jest/globals'
import type { Scene } from '../scene.js'
import type { Suite } from '../suite.js'

/** The role `savedState`. */
export function savedStateRole({ test, needing }: Suite): void {
  test('a managed save ends the guest, and the next start goes on from it', async (scene) => {
    const domain = await scene.running()
    expect(await domain.hasManagedSave()).toBe(false)
    expect(await scene.eventsOf(() => domain.managedSave())).toEqual(['stopped/saved'])
    expect(await domain.state()).toEqual({ state: 'shutoff', reason: 'saved' })
    expect(await domain.hasManagedSave()).toBe(true)
    expect(await scene.eventsOf(() => domain.start())).toEqual(['started/restored'])
    expect(await domain.state()).toEqual({ state: 'running', reason: 'restored' })
    expect(await domain.hasManagedSave()).toBe(false)
  })

  needing('memory', 'a restored guest has in its memory what it had', async (scene) => {
    const domain = await scene.running()
    await remember(scene, domain)
    await domain.managedSave()
    await domain.start()
    expect(await remembers(scene, domain)).toBe(true)
  })

  needing('memory', 'forceBoot throws the state away and boots', async (scene) => {
    const domain = await scene.running()
    await remember(scene, domain)
    await domain.managedSave()
    expect(await scene.eventsOf(() => domain.start({ forceBoot: true }))).toEqual(['started/booted'])
    expect(await domain.state()).toEqual({ state: 'running', reason: 'booted' })
    expect(await domain.hasManagedSave()).toBe(false)
    await scene.until(scene.world.ready(domain))
    expect(await remembers(scene, domain)).toBe(false)
  })

  test('a paused guest is restored paused, and goes on when it is resumed', async (scene) => {
    const domain = await scene.paused()
    await domain.managedSave()
    expect(await scene.eventsOf(() => domain.start())).toEqual(['started/restored', 'suspended/restored'])
    expect(await domain.state()).toEqual({ state: 'paused', reason: 'user' })
    await domain.resume()
    await scene.until(scene.world.ready(domain))
    await domain.shutdown()
    await scene.state(domain, 'shutoff')
  })

  test('as what a guest is restored is said when it is saved, or when it is started', async (scene) => {
    const domain = await scene.running()
    await domain.managedSave({ restoreAs: 'paused' })
    await domain.start()
    expect(await domain.state()).toMatchObject({ state: 'paused' })
    await domain.managedSave({ restoreAs: 'running' })
    await domain.start()
    expect(await domain.state()).toEqual({ state: 'running', reason: 'restored' })
    await domain.managedSave()
    expect(await scene.eventsOf(() => domain.start({ paused: true }))).toEqual([
      'started/restored',
      'suspended/paused',
    ])
  })

  test('a managed state outlives the connection and a new name', async (scene) => {
    const domain = await scene.running()
    await domain.managedSave()
    await domain.rename(scene.world.uniqueName('new'))
    await scene.reopen()
    const again = await scene.again(domain)
    expect(await again.hasManagedSave()).toBe(true)
    expect(await scene.eventsOf(() => again.start())).toEqual(['started/restored'])
    expect(await again.xml()).toContain(`<name>${domain.name}</name>`)
  })

  test('a managed state is removed by itself, and then the domain boots', async (scene) => {
    const domain = await scene.running()
    await domain.managedSave()
    await domain.removeManagedSave()
    expect(await domain.hasManagedSave()).toBe(false)
    await domain.removeManagedSave()
    expect(await scene.eventsOf(() => domain.start())).toEqual(['started/booted'])
  })

  test('a domain with a managed state is undefined only together with it', async (scene) => {
    const domain = await scene.running()
    await domain.managedSave()
    await scene.refuses('OPERATION_INVALID', () => domain.undefine())
    await domain.undefine({ managedSave: true })
    await scene.refuses('NO_DOMAIN', () => domain.state())
    const { name, uuid } = domain
    expect(await (await scene.define({ name, uuid })).hasManagedSave()).toBe(false)
  })

  test('a domain with a managed state is not created past it', async (scene) => {
    const domain = await scene.running()
    await domain.managedSave()
    const { name, uuid } = domain
    await scene.refuses('OPERATION_INVALID', () => scene.create({ name, uuid }))
    expect(await domain.hasManagedSave()).toBe(true)
  })

  test('the definition that a guest was saved with is the one it goes on with', async (scene) => {
    const domain = await scene.running({ elements: '<title>old</title>' })
    await domain.managedSave()
    const { name, uuid } = domain
    await scene.define({ name, uuid, elements: '<title>new</title>' })
    await domain.start()
    expect(await domain.xml()).toContain('<title>old</title>')
    expect(await domain.xml({ inactive: true })).toContain('<title>new</title>')
  })

  test('the guest of a transient domain has no managed state', async (scene) => {
    const domain = await scene.create()
    await scene.until(scene.world.ready(domain))
    await scene.refuses('OPERATION_INVALID', () => domain.managedSave())
    expect(await domain.hasManagedSave()).toBe(false)
  })

  needing('panic', 'a guest that has crashed is not saved', async (scene) => {
    const domain = await scene.running({ elements: '<on_crash>preserve</on_crash>' })
    await scene.world.panic?.(domain)
    await scene.state(domain, 'crashed')
    await scene.refuses('OPERATION_INVALID', () => domain.managedSave())
  })

  needing(['filePath', 'memory'], 'a guest is saved to a file and restored from it', async (scene) => {
    const domain = await scene.running()
    await remember(scene, domain)
    const path = pathOf(scene)
    expect(await scene.eventsOf(() => domain.save(path))).toEqual(['stopped/saved'])
    expect(await domain.hasManagedSave()).toBe(false)
    expect(await scene.connection.domains.savedXml(path)).toContain(`<name>${domain.name}</name>`)
    let restored: Domain | undefined
    const told = await scene.eventsOf(async () => {
      restored = await scene.connection.domains.restore(path)
    })
    expect(told).toEqual(['started/restored'])
    expect(restored?.uuid).toBe(domain.uuid)
    expect(await domain.isPersistent()).toBe(true)
    expect(await remembers(scene, domain)).toBe(true)
  })

  needing(
    'filePath',
    'a transient domain is gone when it is saved, and is there again restored',
    async (scene) => {
      const domain = await scene.create()
      await scene.until(scene.world.ready(domain))
      const path = pathOf(scene)
      await domain.save(path)
      await scene.refuses('NO_DOMAIN', () => domain.state())
      await scene.connection.domains.restore(path, { restoreAs: 'paused' })
      expect(await domain.state()).toEqual({ state: 'paused', reason: 'user' })
      expect(await domain.isPersistent()).toBe(false)
      await scene.refuses('OPERATION_INVALID', () => scene.connection.domains.restore(path))
    },
  )

  needing('filePath', 'a guest is not restored in the place of another domain', async (scene) => {
    const domain = await scene.create()
    await scene.until(scene.world.ready(domain))
    const path = pathOf(scene)
    await domain.save(path)
    await scene.define({ name: domain.name })
    await scene.refuses('DOM_EXIST', () => scene.connection.domains.restore(path))
  })

  needing(
    'filePath',
    'a guest is restored with another definition of the same domain alone',
    async (scene) => {
      const domain = await scene.running({ elements: '<title>old</title>' })
      const path = pathOf(scene)
      await domain.save(path)
      const { name, uuid } = domain
      const other = scene.xml({ name, elements: '<title>new</title>' })
      await scene.refuses('INVALID_ARG', () => scene.connection.domains.restore(path, { xml: other }))
      const xml = scene.xml({ name, uuid, elements: '<title>new</title>' })
      await scene.connection.domains.restore(path, { xml })
      expect(await domain.xml()).toContain('<title>new</title>')
    },
  )

  needing('filePath', 'where a guest cannot be saved it goes on', async (scene) => {
    const domain = await scene.running()
    const nowhere = `${pathOf(scene)}/no/such/directory`
    const error = await scene.refuses('OPERATION_FAILED', () => domain.save(nowhere))
    expect(error.message).toContain(domain.name)
    await scene.refuses('INVALID_ARG', () => domain.save('relative'))
    await scene.until(scene.world.ready(domain))
    await domain.shutdown()
    await scene.state(domain, 'shutoff')
  })

  needing('filePath', 'what is no saved guest is not restored', async (scene) => {
    const path = pathOf(scene)
    await scene.refuses('OPERATION_FAILED', () => scene.connection.domains.restore(path))
    await scene.refuses('OPERATION_FAILED', () => scene.connection.domains.restore('/proc/self/status'))
    await scene.refuses('INVALID_ARG', () => scene.connection.domains.restore('relative'))
  })
}

async function remember({ world }: Scene, domain: Domain): Promise<void> {
  await world.memory?.put(domain)
}

async function remembers({ world }: Scene, domain: Domain): Promise<boolean | undefined> {
  return world.memory?.has(domain)
}

function pathOf({ world }: Scene): string {
  return world.filePath?.(world.uniqueName('file')) as string
}
