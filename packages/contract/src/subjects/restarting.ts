import { expect } from '@jest/globals'
import type { Suite } from '../suite.js'

/** What follows when a guest restarts or goes off, as its definition says. */
export function restarting({ test, needing }: Suite): void {
  needing('reboots', 'reboot keeps the domain active with the same id, and emits reboot', async (scene) => {
    const domain = await scene.running()
    const id = await domain.id()
    scene.events.clear()
    await domain.reboot()
    await scene.seen('reboot', domain)
    expect(scene.events.names()).toEqual(['reboot'])
    expect(await domain.id()).toBe(id)
    expect(await domain.state()).toMatchObject({ state: 'running' })
  })

  needing('reboots', 'a guest that was rebooted can be shut down', async (scene) => {
    const domain = await scene.running()
    await domain.reboot()
    await scene.seen('reboot', domain)
    await scene.until(scene.world.ready(domain))
    await domain.shutdown()
    expect(await scene.state(domain, 'shutoff')).toEqual({ state: 'shutoff', reason: 'shutdown' })
  })

  needing('reboots', 'reboot stops a domain with <on_reboot>destroy', async (scene) => {
    const domain = await scene.running({ elements: '<on_reboot>destroy</on_reboot>' })
    await domain.reboot()
    expect(await scene.state(domain, 'shutoff')).toEqual({ state: 'shutoff', reason: 'shutdown' })
    expect(scene.events.names(domain).slice(-1)).toEqual(['stopped/shutdown'])
  })

  needing('restart', 'a guest that restarts by itself keeps its domain active', async (scene) => {
    const domain = await scene.running()
    const id = await domain.id()
    await scene.world.restart?.(domain)
    await scene.seen('reboot', domain)
    expect(await domain.id()).toBe(id)
    expect(await domain.state()).toMatchObject({ state: 'running' })
  })

  needing(
    'restart',
    'a guest that restarts by itself stops where <on_reboot> says destroy',
    async (scene) => {
      const domain = await scene.running({ elements: '<on_reboot>destroy</on_reboot>' })
      await scene.world.restart?.(domain)
      expect(await scene.state(domain, 'shutoff')).toEqual({ state: 'shutoff', reason: 'shutdown' })
    },
  )

  test('shutdown stops a domain with <on_poweroff>destroy', async (scene) => {
    const domain = await scene.running({ elements: '<on_poweroff>destroy</on_poweroff>' })
    await domain.shutdown()
    expect(await scene.state(domain, 'shutoff')).toEqual({ state: 'shutoff', reason: 'shutdown' })
  })

  needing(
    'powerOff',
    'a guest that switches itself off starts again where <on_poweroff> says so',
    async (scene) => {
      const domain = await scene.running({ elements: '<on_poweroff>restart</on_poweroff>' })
      scene.events.clear()
      await scene.world.powerOff?.(domain)
      await scene.seen('started/booted', domain)
      expect(scene.events.names()).toEqual(['stopped/shutdown', 'started/booted'])
      expect(await domain.state()).toMatchObject({ state: 'running' })
    },
  )

  needing('powerOff', 'a transient domain starts again, too, where <on_poweroff> says so', async (scene) => {
    const domain = await scene.create({ elements: '<on_poweroff>restart</on_poweroff>' })
    await scene.until(scene.world.ready(domain))
    scene.events.clear()
    await scene.world.powerOff?.(domain)
    await scene.seen('started/booted', domain)
    expect(await domain.state()).toMatchObject({ state: 'running' })
    expect(await domain.isPersistent()).toBe(false)
  })

  test('destroy is final, whatever <on_poweroff> and <on_crash> say', async (scene) => {
    const elements = '<on_poweroff>restart</on_poweroff><on_crash>restart</on_crash>'
    const domain = await scene.running({ elements })
    await domain.destroy()
    await scene.world.advance?.(60_000)
    expect(await domain.state()).toEqual({ state: 'shutoff', reason: 'destroyed' })
  })
}
