import { parseDomain } from '@covirt/xml'
import { expect, test } from '@jest/globals'
import { routesOf } from '../src/config/network.js'

function routesIn(routes: string): readonly string[] {
  const document = parseDomain(`<domain type='lxc'><name>web</name><devices>
    <interface type='bridge'><source bridge='b'/></interface>
    <interface type='bridge'><source bridge='b'/>${routes}</interface></devices></domain>`)
  return routesOf(document)
}

test.each([
  ['a network', "<route address='10.2.0.0' prefix='16' gateway='10.1.0.1'/>", 'eth1,10.2.0.0/16,10.1.0.1,0'],
  [
    'a mask',
    "<route address='10.2.0.0' netmask='255.254.0.0' gateway='10.1.0.1'/>",
    'eth1,10.2.0.0/15,10.1.0.1,0',
  ],
  ['a class', "<route address='172.16.0.0' gateway='10.1.0.1'/>", 'eth1,172.16.0.0/16,10.1.0.1,0'],
  ['IPv6', "<route family='ipv6' address='fd01::' gateway='fd00::1'/>", 'eth1,fd01::/64,fd00::1,0'],
  ['a metric', "<route gateway='10.1.0.1' metric='50'/>", 'eth1,0.0.0.0/0,10.1.0.1,50'],
])('a route with %s is set by the program', (_, route, expected) => {
  expect(routesIn(route)).toEqual([expected])
})

test.each([
  ["<route gateway='10.1.0.1'/>"],
  ["<route family='ipv6' address='::' prefix='0' gateway='fd00::1'/>"],
])('the default route %s is left to liblxc', (route) => {
  expect(routesIn(route)).toEqual([])
})
