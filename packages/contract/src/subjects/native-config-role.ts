import { requireRole } from '@covirt/core'
import { expect } from '@jest/globals'
import type { Suite } from '../suite.js'

/** The role `nativeConfig`. */
export function nativeConfigRole({ test }: Suite): void {
  test('a document comes back from each native format as one that can be defined', async ({
    world,
    connection,
  }) => {
    const { nativeFormats } = requireRole(connection.driver, 'nativeConfig')
    expect(nativeFormats.length).toBeGreaterThan(0)
    for (const format of nativeFormats) {
      const name = world.uniqueName('native')
      const config = await connection.domainXmlToNative(format, world.domainXml({ name }))
      const domain = await connection.domains.define(await connection.domainXmlFromNative(format, config))
      expect(domain.name).toBe(name)
      await domain.undefine()
    }
  })

  test('to look at a configuration stores nothing', async ({ world, connection }) => {
    const [format = ''] = requireRole(connection.driver, 'nativeConfig').nativeFormats
    const config = await connection.domainXmlToNative(
      format,
      world.domainXml({ name: world.uniqueName('native') }),
    )
    await connection.domainXmlFromNative(format, config)
    expect(await connection.domains.list()).toEqual([])
  })

  test('a format that there is not is an invalid argument', async (scene) => {
    const { world, connection } = scene
    const xml = world.domainXml({ name: world.uniqueName('native') })
    await scene.refuses('INVALID_ARG', () => connection.domainXmlFromNative('papyrus', ''))
    await scene.refuses('INVALID_ARG', () => connection.domainXmlToNative('papyrus', xml))
  })

  test('a text that is no document is refused as it would be when it is defined', async (scene) => {
    const [format = ''] = requireRole(scene.connection.driver, 'nativeConfig').nativeFormats
    await scene.refuses('XML_ERROR', () => scene.connection.domainXmlToNative(format, '<domain>'))
  })
}
