import { Duplex } from 'node:stream'
import { type KeyCodeSet, requireRole, VirError } from '@covirt/core'
import { connectedDescriptor } from '../connected-descriptor.js'
import type { Handlers } from '../handler.js'
import { checkFlags, hasFlag } from './flags.js'

/** virKeycodeSet, of which the others are not known here. */
const codeSets = new Map<number, KeyCodeSet>([
  [0, 'linux'],
  [1, 'xt'],
  [9, 'qnum'],
])
/** VIR_DOMAIN_OPEN_GRAPHICS_SKIPAUTH: what a display demands of its users it demands of all. */
const skipAuthentication = 1
/** VIR_DOMAIN_TIME_SYNC: the time of the guest's hardware. */
const timeSync = 1
const nsPerSecond = 1_000_000_000n

export const domainScreenHandlers = {
  domainScreenshot: async (call, { domain, screen, flags }) => {
    checkFlags(flags, 0, 'a picture of a screen')
    call.session.streams.reserve()
    const { driver, options } = call
    const { mimeType, stream } = await requireRole(driver, 'graphics').screenshot(domain, {
      ...options,
      screen,
    })
    call.openStream(stream instanceof Duplex ? stream : Duplex.from(stream))
    return { mime: mimeType }
  },
  domainOpenGraphicsFd: async (call, { domain, index, flags }) => {
    checkFlags(flags, skipAuthentication, 'opening a display')
    const { driver, options, session } = call
    const role = requireRole(driver, 'graphics')
    if (!session.sendsDescriptors)
      throw new VirError('NO_SUPPORT', 'This connection carries no file descriptors', {
        hint: 'Connect to the address of the display that the document of the domain names',
      })
    call.passDescriptor(await connectedDescriptor(await role.openGraphics(domain, { ...options, index })))
  },
  domainSendKey: ({ driver, options }, { domain, codeset, holdMs, keycodes, flags }) => {
    checkFlags(flags, 0, 'keys')
    const codeSet = codeSets.get(codeset)
    if (!codeSet)
      throw new VirError('ARGUMENT_UNSUPPORTED', `Keys numbered by set ${codeset} are not known`, {
        hint: `There are: ${[...codeSets.values()].join(', ')}`,
      })
    const holdTimeMs = holdMs === 0 ? undefined : holdMs
    return requireRole(driver, 'keyboard').sendKey(domain, keycodes, { ...options, codeSet, holdTimeMs })
  },
  domainInjectNmi: ({ driver, options }, { domain, flags }) => {
    checkFlags(flags, 0, 'an interrupt')
    return requireRole(driver, 'nmi').injectNmi(domain, options)
  },
  domainGetTime: async ({ driver, options }, { domain, flags }) => {
    checkFlags(flags, 0, "a guest's time")
    const timeNs = await requireRole(driver, 'guestTime').getTime(domain, options)
    return { seconds: timeNs / nsPerSecond, nanoseconds: Number(timeNs % nsPerSecond) }
  },
  domainSetTime: ({ driver, options }, { domain, seconds, nanoseconds, flags }) => {
    checkFlags(flags, timeSync, "setting a guest's time")
    const timeNs = hasFlag(flags, timeSync) ? undefined : seconds * nsPerSecond + BigInt(nanoseconds)
    return requireRole(driver, 'guestTime').setTime(domain, timeNs, options)
  },
} satisfies Handlers
