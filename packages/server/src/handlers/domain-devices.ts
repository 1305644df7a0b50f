import { requireRole } from '@covirt/core'
import { impact } from '@covirt/protocol'
import type { Call, Handlers } from '../handler.js'
import { changeOf } from './domain-tuning.js'
import { checkFlags, hasFlag } from './flags.js'

/** virDomainConsoleFlags: all consoles here have a single opener. */
const consoleFlags = { force: 1, safe: 2 }

const both = impact.live | impact.config

export const domainDevicesHandlers = {
  // Of these two libvirt says that they are for domains that are active.
  domainAttachDevice: (call, { domain, xml }) =>
    devices(call).attachDevice(domain, xml, { ...call.options, live: true }),
  domainDetachDevice: (call, { domain, xml }) =>
    devices(call).detachDevice(domain, xml, { ...call.options, live: true }),
  domainAttachDeviceFlags: (call, { domain, xml, flags }) => {
    checkFlags(flags, both, 'attaching a device')
    return devices(call).attachDevice(domain, xml, changeOf(call, flags))
  },
  domainDetachDeviceFlags: (call, { domain, xml, flags }) => {
    checkFlags(flags, both, 'detaching a device')
    return devices(call).detachDevice(domain, xml, changeOf(call, flags))
  },
  domainDetachDeviceAlias: (call, { domain, alias, flags }) => {
    checkFlags(flags, both, 'detaching a device')
    return devices(call).detachDeviceAlias(domain, alias, changeOf(call, flags))
  },
  domainUpdateDeviceFlags: (call, { domain, xml, flags }) => {
    checkFlags(flags, both, 'changing a device')
    return devices(call).updateDevice(domain, xml, changeOf(call, flags))
  },
  domainOpenConsole: async (call, { domain, device, flags }) => {
    checkFlags(flags, consoleFlags.force | consoleFlags.safe, 'opening a console')
    call.session.streams.reserve()
    const { driver, options } = call
    const force = hasFlag(flags, consoleFlags.force)
    call.openStream(await requireRole(driver, 'console').openConsole(domain, { ...options, device, force }))
  },
} satisfies Handlers

function devices({ driver }: Pick<Call, 'driver'>) {
  return requireRole(driver, 'devices')
}
