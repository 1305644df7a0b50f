import { execFileSync } from 'node:child_process'
import { expect, test } from '@jest/globals'
import { canRunLxc, describeWhen } from '../../../test/fixtures/index.js'
import { randomToken, runToken } from '../../../test/fixtures/run-token.js'
import { addLink, interfaces, runningConfigItem, start, stop } from '../ts/index.js'
import { testContainer } from './support/test-container.js'

/** A link of the host, which goes with the container that it is given to at the latest. */
function hostLink(): { readonly name: string } & Disposable {
  const unique = () => `cv${runToken()}${randomToken(5)}`
  const name = unique()
  execFileSync('ip', ['link', 'add', name, 'type', 'veth', 'peer', 'name', unique()])
  const remove = () => execFileSync('ip', ['link', 'delete', name], { stdio: 'ignore' })
  return {
    name,
    [Symbol.dispose]: () => {
      try {
        remove()
      } catch {
        // It ended with the container.
      }
    },
  }
}

describeWhen(canRunLxc(), 'a link of the host', () => {
  test('has the name in the container that it is to have there, from the start or later', async () => {
    using first = hostLink()
    using second = hostLink()
    await using container = await testContainer({
      config: ['lxc.net.0.type = phys', `lxc.net.0.link = ${first.name}`, 'lxc.net.0.name = lan0'],
    })
    await start(container)
    const item = (key: string) => runningConfigItem(container, `lxc.net.0.${key}`)
    expect([await item('type'), await item('link'), await item('name')]).toEqual(['phys', first.name, 'lan0'])

    await addLink(container, [
      ['type', 'phys'],
      ['link', second.name],
      ['name', 'lan1'],
    ])

    const names = (await interfaces(container)).map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(['lan0', 'lan1']))
    await stop(container)
  })
})
