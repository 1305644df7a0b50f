import { roleNames } from '@covirt/core'
import { expect } from '@jest/globals'
import type { Suite } from '../suite.js'

/** What a driver tells of its host and of what its guests use. */
export function information({ fixture, test, onOneGuest }: Suite): void {
  test('a driver says what kind it is, and has exactly the roles that it should have', async (scene) => {
    const { driver } = scene.connection
    expect(driver.type).toBe(fixture.type)
    expect(roleNames.filter((role) => driver[role] !== undefined).sort()).toEqual([...fixture.roles].sort())
  })

  test('the URI is one', async (scene) => {
    expect(scene.connection.driver.uri).toMatch(/^[a-z][a-z0-9+.-]*:\/\/[^/]*\//)
  })

  test('capabilities are a <capabilities> document with a host', async (scene) => {
    const xml = await scene.connection.capabilities()
    expect(xml.trim()).toMatch(/^(<\?xml[^>]*>\s*)?<capabilities\b[\s\S]*<\/capabilities>$/)
    expect(xml).toMatch(/<host\b/)
    expect(xml).toMatch(/<guest\b/)
  })

  test('what guests can have is told of each kind, and of none that there is not', async (scene) => {
    const { connection } = scene
    const xml = await connection.domainCapabilities()
    const [, arch = ''] = /<arch>(\w+)<\/arch>/.exec(xml) ?? []
    expect(xml).toMatch(/<domainCapabilities>[\s\S]*<domain>\w+<\/domain>/)
    expect(await connection.domainCapabilities({ arch })).toBe(xml)
    const none = connection.domainCapabilities({ machine: 'no-such-machine' })
    await expect(none).rejects.toMatchObject({ code: 'INVALID_ARG' })
  })

  test('the node has memory and processors, and its topology accounts for them', async (scene) => {
    const node = await scene.connection.nodeInfo()
    expect(node.model).toMatch(/\w/)
    expect(node.memoryKib).toBeGreaterThan(0)
    expect(node.cpus).toBeGreaterThan(0)
    expect(node.nodes * node.sockets * node.cores * node.threads).toBeGreaterThanOrEqual(node.cpus)
  })

  test('versions are of the form 1.2.3', async (scene) => {
    const { library, hypervisors } = await scene.connection.version()
    expect(library).toMatch(/^\d+\.\d+\.\d+/)
    for (const version of Object.values(hypervisors)) expect(version).toMatch(/^\d+\.\d+/)
  })

  test('the host has a name', async (scene) => {
    expect(await scene.connection.hostname()).toMatch(/^\S+$/)
  })

  test('a domain that is off uses nothing and has its limits', async (scene) => {
    const domain = await scene.define({ memoryKib: 65_536 })
    const info = await domain.info()
    expect(info).toMatchObject({ memoryKib: 0, cpuTimeNs: 0n, maxMemoryKib: 65_536 })
    expect(info.state).toEqual(await domain.state())
    expect(info.vcpus).toBeGreaterThan(0)
  })

  onOneGuest(
    'plain',
    'a domain that runs uses memory within its limit, and some processor time',
    async (domain) => {
      const info = await domain.info()
      expect(info.state).toEqual({ state: 'running', reason: 'booted' })
      expect(info.memoryKib).toBeGreaterThan(0)
      expect(info.memoryKib).toBeLessThanOrEqual(info.maxMemoryKib)
      expect(info.cpuTimeNs).toBeGreaterThanOrEqual(0n)
    },
  )

  test('statistics say of each domain what the single questions say', async (scene) => {
    const domain = await scene.running()
    await domain.setAutostart(true)
    const [stats] = await scene.connection.domains.stats()
    const info = await domain.info()
    expect(stats).toMatchObject({
      domain: { uuid: domain.uuid, name: domain.name, id: await domain.id() },
      type: /<domain\b[^>]*\btype=['"]([^'"]+)/.exec(await domain.xml())?.[1],
      persistent: true,
      autostart: true,
      state: info.state,
      maxMemoryKib: info.maxMemoryKib,
      vcpus: info.vcpus,
    })
    expect(stats?.memoryKib).toBeGreaterThan(0)
    expect(stats?.cpuTimeNs).toBeLessThanOrEqual(info.cpuTimeNs)
  })

  onOneGuest('plain', 'processor time never runs backwards', async (domain) => {
    const first = await domain.info()
    const second = await domain.info()
    expect(second.cpuTimeNs).toBeGreaterThanOrEqual(first.cpuTimeNs)
  })
}
