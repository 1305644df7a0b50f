import { parseDomain } from '@covirt/xml'
import { expect, test } from '@jest/globals'
import { nameLinks } from '../src/guest/link-names.js'
import { type Plugs, plugOf, wordOf } from '../src/guest/plugs.js'

const document =
  parseDomain(`<domain type='lxc'><name>c</name><memory>1</memory><os><type>exe</type></os><devices>
  <interface type='ethernet'><mac address='52:54:00:5e:00:01'/><alias name='net0'/></interface>
  <hostdev mode='capabilities' type='net'><source><interface>eth7</interface></source><alias name='hostdev0'/></hostdev>
  <hostdev mode='capabilities' type='net'><source><interface>eth8</interface></source><alias name='hostdev1'/></hostdev>
</devices></domain>`)

const plugs = new Map(
  (['interfaces', 'hostdevs', 'hostdevs'] as const).map((kind, number) => {
    const index = number === 0 ? 0 : number - 1
    const plug = plugOf(document, { kind, index }, new Map())
    if (!plug) throw new Error('each is a plug')
    return [`${kind} ${kind === 'interfaces' ? 'net' : 'hostdev'}${index}`, plug] as const
  }),
)

function insideNames(named: Plugs): string[] {
  return [...named.values()].map((plug) => (plug.kind === 'link' ? wordOf(plug.words, 'name') : ''))
}

test('links of the host have the names that a configuration gave them inside, and none where the container lacks them', () => {
  const pair = { type: 'veth', name: 'eth0', pair: 'vethX', mac: undefined }
  const given = { type: 'phys', link: 'eth7', name: 'lan', pair: undefined, mac: undefined }
  const named = nameLinks({ document, launched: plugs, plugs }, [given, pair])
  expect(insideNames(named.plugs)).toEqual(['eth0', 'lan', ''])
  expect(insideNames(named.launched)).toEqual(['eth0', 'lan', ''])
})
