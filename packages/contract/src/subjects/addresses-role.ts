import { addressSources } from '@covirt/core'
import { expect } from '@jest/globals'
import type { Suite } from '../suite.js'

/** The role `addresses`. */
export function addressesRole({ fixture, onOneGuest }: Suite): void {
  const sources = fixture.addressSources ?? []
  // An agent has to be there to be asked.
  const guest = sources.includes('guest') ? 'plain' : 'agent'

  onOneGuest(guest, 'a guest has a loopback interface', async (domain) => {
    const interfaces = await domain.listInterfaceAddresses()
    expect(interfaces.map(({ name }) => name)).toContain('lo')
  })

  onOneGuest(guest, 'interfaces have names, each once, and addresses in proper form', async (domain) => {
    const interfaces = await domain.listInterfaceAddresses()
    const names = interfaces.map(({ name }) => name)
    expect(names).toEqual([...new Set(names)])
    for (const { mac = '00:00:00:00:00:00', addresses } of interfaces) {
      expect(mac).toMatch(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/)
      for (const { family, address, prefix } of addresses) {
        expect(address).toMatch(family === 'ipv4' ? /^[0-9.]+$/ : /^[0-9a-f:.]+$/)
        expect(prefix).toBeGreaterThanOrEqual(0)
        expect(prefix).toBeLessThanOrEqual(family === 'ipv4' ? 32 : 128)
      }
    }
  })

  onOneGuest(guest, 'a source that the driver has may be asked for', async (domain) => {
    const [source] = sources
    expect(await domain.listInterfaceAddresses({ source })).not.toEqual([])
  })

  onOneGuest(
    'plain',
    'a source that the driver does not have is an unsupported argument',
    async (domain, scene) => {
      for (const source of addressSources.filter((each) => !sources.includes(each))) {
        await scene.refuses('ARGUMENT_UNSUPPORTED', () => domain.listInterfaceAddresses({ source }))
      }
    },
  )

  if (!sources.includes('agent')) return

  onOneGuest('plain', 'a domain without an agent cannot be asked by its agent', async (domain, scene) => {
    await scene.refuses('AGENT_UNRESPONSIVE', () => domain.listInterfaceAddresses({ source: 'agent' }))
  })
}
