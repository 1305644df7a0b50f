import { readFile } from 'node:fs/promises'
import type { Connection, Domain } from '@covirt/core'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import {
  canRunLinuxGuest,
  describeWhen,
  LINUX_GUEST_CMDLINE,
  linuxGuest,
  uniqueName,
} from '../../../test/fixtures/index.js'
import { guestXml } from './guests.js'
import { hears, QemuWorld } from './qemu-world.js'

/** A system that is emulated on a busy host takes half a minute to come up. */
const timeoutMs = 120_000

describeWhen(canRunLinuxGuest(), 'a Linux guest', () => {
  let world: QemuWorld
  let connection: Connection

  beforeAll(async () => {
    world = await QemuWorld.make('qemu', { agent: true })
    connection = await world.open()
  }, timeoutMs)

  afterAll(async () => {
    for (const domain of await connection.domains.list({ active: true })) await domain.destroy()
    await connection.close()
    await world[Symbol.asyncDispose]()
  })

  test(
    'gets an address from the user-mode network, and goes off at the power button',
    async () => {
      const domain = await boot('q35')
      const console = await domain.openConsole()
      const [ready, leased] = [hears(console, 'FX-READY'), hears(console, 'FX-DHCP eth0 10.0.2.15/24')]
      await domain.resume()
      const [said] = await Promise.all([ready, leased])
      expect(said).not.toContain('FX-INSMOD')
      await domain.shutdown({ mode: 'acpi' })
      expect(await domain.waitFor('shutoff')).toEqual({ state: 'shutoff', reason: 'shutdown' })
    },
    timeoutMs,
  )

  test(
    'answers through its agent and restarts by it, and goes off by it where it ignores the power button',
    async () => {
      const domain = await boot('pc', 'fx.pwr=ignore')
      const agentEvents: unknown[] = []
      const connected = agentConnected(domain)
      domain.subscribe((event) => event.type === 'agent' && agentEvents.push(event.state))
      await domain.resume()
      await connected
      const answer = JSON.parse(
        await domain.agentCommand('{"execute":"guest-get-host-name"}', { timeoutMs: 20_000 }),
      )
      expect(answer).toMatchObject({ return: { 'host-name': expect.any(String) } })

      const rebooted = new Promise<void>((resolve) => {
        domain.subscribe(({ type }) => type === 'reboot' && resolve())
      })
      const connectedAgain = agentConnected(domain)
      await domain.reboot({ mode: 'agent' })
      await rebooted
      await connectedAgain
      expect(agentEvents).toEqual(['connected', 'disconnected', 'connected'])

      await domain.shutdown()
      expect(await domain.waitFor('shutoff')).toEqual({ state: 'shutoff', reason: 'shutdown' })
    },
    timeoutMs,
  )

  test(
    'boots on microvm',
    async () => {
      const domain = await boot('microvm')
      const console = await domain.openConsole()
      const ready = hears(console, 'FX-READY')
      await domain.resume()
      await ready
      await domain.shutdown()
      await domain.waitFor('shutoff')
    },
    timeoutMs,
  )

  /** Resolves when the agent of the guest is connected next. */
  function agentConnected(domain: Domain): Promise<void> {
    return new Promise((resolve) => {
      domain.subscribe((event) => event.type === 'agent' && event.state === 'connected' && resolve())
    })
  }

  /** A persistent domain that has not run its first instruction yet. */
  async function boot(machine: string, cmdline = ''): Promise<Domain> {
    const { kernel, initrd } = await linuxGuest()
    const tsc = machine === 'microvm' ? `tsc_early_khz=${await hostKhz()}` : ''
    const loader = machine === 'microvm' ? '' : "<loader type='rom'>/usr/share/qemu/qboot.rom</loader>"
    const xml = guestXml({
      name: uniqueName('linux'),
      machine,
      memoryKib: 262144,
      os: `${loader}<kernel>${kernel}</kernel><initrd>${initrd}</initrd>
        <cmdline>${LINUX_GUEST_CMDLINE} ${tsc} ${cmdline}</cmdline>`,
      devices: `<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
        <interface type='user'><model type='virtio'/></interface>`,
    })
    const domain = await connection.domains.define(xml)
    await domain.start({ paused: true })
    return domain
  }
})

/** The frequency of the host's processor. */
async function hostKhz(): Promise<number> {
  const mhz = /^cpu MHz\s*: ([\d.]+)$/m.exec(await readFile('/proc/cpuinfo', 'utf8'))?.[1]
  return Math.round(Number(mhz ?? 2000) * 1000)
}
