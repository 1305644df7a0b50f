import type { ChangeOptions, Domain } from '@covirt/core'
import { expect } from '@jest/globals'
import type { Scene } from '../scene.js'
import type { Suite } from '../suite.js'

/** The role `devices`. */
export function devicesRole({ test, needing }: Suite): void {
  needing(
    'spareDevice',
    'a device is in the definition alone, and gone from it, where so asked',
    async (scene) => {
      const { xml, word } = spare(scene)
      const domain = await scene.define()
      const before = await domain.xml()
      await domain.attachDevice(xml, { config: true })
      expect(await domain.xml()).toContain(word)
      await domain.detachDevice(xml)
      expect(words(await domain.xml())).toEqual(words(before))
    },
  )

  needing('spareDevice', 'a guest has the device that it was given, until it ends', async (scene) => {
    const { xml, word } = spare(scene)
    const domain = await scene.running()
    await domain.attachDevice(xml)
    expect(await has(domain, word)).toEqual({ live: true, config: false })
    await domain.destroy()
    await domain.start()
    expect(await has(domain, word)).toEqual({ live: false, config: false })
  })

  needing('spareDevice', 'guest and definition are given a device at once, and lose it so', async (scene) => {
    const { xml, word } = spare(scene)
    const both = { live: true, config: true }
    const domain = await scene.running()
    await domain.attachDevice(xml, both)
    expect(await has(domain, word)).toEqual(both)
    await domain.detachDevice(xml, both)
    expect(await has(domain, word)).toEqual({ live: false, config: false })
    await domain.destroy()
    await domain.start()
    expect(await has(domain, word)).toEqual({ live: false, config: false })
  })

  needing('spareDevice', 'a device of the definition alone is there at the next start', async (scene) => {
    const { xml, word } = spare(scene)
    const domain = await scene.running()
    await domain.attachDevice(xml, { config: true })
    expect(await has(domain, word)).toEqual({ live: false, config: true })
    await domain.destroy()
    await domain.start()
    expect(await has(domain, word)).toEqual({ live: true, config: true })
    await domain.detachDevice(xml)
    expect(await has(domain, word)).toEqual({ live: false, config: true })
  })

  needing('spareDevice', 'a device is detached by its alias, from guest and definition', async (scene) => {
    const { xml, word } = spare(scene)
    const both = { live: true, config: true }
    const domain = await scene.running()
    const before = aliases(await domain.xml())
    await domain.attachDevice(xml, both)
    expect(aliases(await domain.xml({ inactive: true })).filter((each) => !before.includes(each))).toEqual([])
    const [alias = ''] = aliases(await domain.xml()).filter((each) => !before.includes(each))
    await domain.detachDeviceAlias(alias, both)
    expect(await has(domain, word)).toEqual({ live: false, config: false })
    await scene.refuses('DEVICE_MISSING', () => domain.detachDeviceAlias(alias))
  })

  needing('spareDevice', 'a device is changed in guest and definition', async (scene) => {
    const { xml, changed, changedWord } = spare(scene)
    const both = { live: true, config: true }
    const domain = await scene.running()
    await domain.attachDevice(xml, both)
    expect(await has(domain, changedWord)).toEqual({ live: false, config: false })
    await domain.updateDevice(changed, both)
    expect(await has(domain, changedWord)).toEqual(both)
    await domain.detachDevice(changed, both)
    expect(await has(domain, changedWord)).toEqual({ live: false, config: false })
  })

  needing('spareDevice', 'a device that is in one of two documents is taken from neither', async (scene) => {
    const { xml } = spare(scene)
    const both = { live: true, config: true }
    const domain = await scene.running()
    await domain.attachDevice(xml, { live: true })
    await scene.refuses('DEVICE_MISSING', () => domain.detachDevice(xml, both))
    await scene.refuses('DEVICE_MISSING', () => domain.updateDevice(xml, both))
    await scene.refuses('OPERATION_INVALID', () => domain.attachDevice(xml, both))
    await domain.attachDevice(xml, { config: true })
    await domain.detachDevice(xml, { live: true })
    await scene.refuses('DEVICE_MISSING', () => domain.detachDevice(xml, both))
    await scene.refuses('OPERATION_INVALID', () => domain.attachDevice(xml, both))
  })

  needing(
    'spareDevice',
    'a device that was given to a guest is found again by the next connection',
    async (scene) => {
      const { xml, word } = spare(scene)
      const domain = await scene.running()
      await domain.attachDevice(xml)
      const document = await domain.xml()
      await scene.reopen()
      const again = await scene.again(domain)
      expect(await again.xml()).toBe(document)
      await again.detachDevice(xml)
      expect(await has(again, word)).toEqual({ live: false, config: false })
    },
  )

  needing(
    'spareDevice',
    'a device whose attaching is cancelled is there or is not, in guest and definition',
    async (scene) => {
      const { xml, word } = spare(scene)
      const domain = await scene.running()
      const controller = new AbortController()
      const options = { live: true, config: true, signal: controller.signal }
      const attaching = domain.attachDevice(xml, options)
      await scene.until(new Promise(setImmediate))
      controller.abort()
      const [{ status }] = await Promise.allSettled([attaching])
      const there = status === 'fulfilled'
      expect(await has(domain, word)).toEqual({ live: there, config: there })
      if (!there) await domain.attachDevice(xml, { live: true, config: true })
      await domain.detachDevice(xml, { live: true, config: true })
    },
  )

  needing('spareDevice', 'a paused guest is given a device, too', async (scene) => {
    const { xml, word } = spare(scene)
    const domain = await scene.paused()
    await domain.attachDevice(xml)
    expect(await domain.xml()).toContain(word)
  })

  needing('spareDevice', 'the guest of a transient domain is given a device', async (scene) => {
    const { xml, word } = spare(scene)
    const domain = await scene.create()
    await scene.until(scene.world.ready(domain))
    await domain.attachDevice(xml)
    expect(await domain.xml()).toContain(word)
    await scene.refuses('OPERATION_INVALID', () => domain.detachDevice(xml, { config: true }))
    await domain.detachDevice(xml)
    expect(await domain.xml()).not.toContain(word)
  })

  needing('spareDevice', 'a domain that is off has no guest to change', async (scene) => {
    const { xml } = spare(scene)
    const domain = await scene.define()
    for (const options of [{ live: true }, { live: true, config: true }] satisfies ChangeOptions[]) {
      await scene.refuses('OPERATION_INVALID', () => domain.attachDevice(xml, options))
      await scene.refuses('OPERATION_INVALID', () => domain.detachDevice(xml, options))
      await scene.refuses('OPERATION_INVALID', () => domain.updateDevice(xml, options))
      await scene.refuses('OPERATION_INVALID', () => domain.detachDeviceAlias('net0', options))
    }
  })

  needing('spareDevice', 'a device that is there is not attached again', async (scene) => {
    const { xml } = spare(scene)
    const domain = await scene.running()
    await domain.attachDevice(xml)
    await scene.refuses('OPERATION_INVALID', () => domain.attachDevice(xml))
  })

  test('what is no device is refused', async (scene) => {
    const domain = await scene.define()
    for (const xml of ['', 'disk', '<disk', '<no-such-device/>', '<disk/><disk/>'])
      await scene.refuses('XML_ERROR', () => domain.attachDevice(xml))
    await scene.refuses('DEVICE_MISSING', () => domain.detachDeviceAlias('no-such-alias'))
  })

  needing('spareDevice', 'devices of one domain are changed one by one', async (scene) => {
    const { xml, word } = spare(scene)
    const domain = await scene.running()
    const calls = await Promise.allSettled([domain.attachDevice(xml), domain.attachDevice(xml)])
    expect(calls.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    await domain.detachDevice(xml)
    expect(await domain.xml()).not.toContain(word)
  })
}

function spare({ world }: Scene): NonNullable<Scene['world']['spareDevice']> {
  if (world.spareDevice) return world.spareDevice
  throw new TypeError('the ability is there')
}

async function has(domain: Domain, word: string): Promise<{ live: boolean; config: boolean }> {
  const [live, config] = [await domain.xml(), await domain.xml({ inactive: true })]
  return { live: live.includes(word), config: config.includes(word) }
}

function aliases(xml: string): string[] {
  return [...xml.matchAll(/<alias name='([^']*)'/g)].map(([, alias]) => alias as string)
}

/** White space between elements may be left where one was. */
function words(xml: string): string[] {
  return xml.split(/\s+/)
}
