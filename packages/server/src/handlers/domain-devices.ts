import { requireRole } from '@covirt/core'
import type { Handlers } from '../handler.js'
import { checkFlags, hasFlag } from './flags.js'

/** virDomainConsoleFlags: all consoles here have a single opener. */
const consoleFlags = { force: 1, safe: 2 }

export const domainDevicesHandlers = {
  domainOpenConsole: async (call, { domain, device, flags }) => {
    checkFlags(flags, consoleFlags.force | consoleFlags.safe, 'opening a console')
    call.session.streams.reserve()
    const { driver, options } = call
    const force = hasFlag(flags, consoleFlags.force)
    call.openStream(await requireRole(driver, 'console').openConsole(domain, { ...options, device, force }))
  },
} satisfies Handlers
