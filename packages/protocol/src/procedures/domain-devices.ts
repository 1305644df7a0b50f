import { limits } from '../limits.js'
import { procedure } from '../procedure.js'
import { domain } from '../values/index.js'
import { array, optional, string, uint } from '../xdr/index.js'

/** A guest's devices: hot plug, console, screen, keyboard. */
export const domainDevicesProcedures = {
  domainAttachDevice: procedure(8, 'DOMAIN_ATTACH_DEVICE', 'write', { domain, xml: string }, {}),
  domainDetachDevice: procedure(13, 'DOMAIN_DETACH_DEVICE', 'write', { domain, xml: string }, {}),
  domainAttachDeviceFlags: procedure(
    160,
    'DOMAIN_ATTACH_DEVICE_FLAGS',
    'write',
    { domain, xml: string, flags: uint },
    {},
  ),
  domainDetachDeviceFlags: procedure(
    161,
    'DOMAIN_DETACH_DEVICE_FLAGS',
    'write',
    { domain, xml: string, flags: uint },
    {},
  ),
  domainUpdateDeviceFlags: procedure(
    174,
    'DOMAIN_UPDATE_DEVICE_FLAGS',
    'write',
    { domain, xml: string, flags: uint },
    {},
  ),
  domainOpenConsole: procedure(
    201,
    'DOMAIN_OPEN_CONSOLE',
    'write',
    { domain, device: optional(string), flags: uint },
    {},
    { stream: 'both' },
  ),
  domainInjectNmi: procedure(210, 'DOMAIN_INJECT_NMI', 'write', { domain, flags: uint }, {}),
  domainScreenshot: procedure(
    211,
    'DOMAIN_SCREENSHOT',
    'write',
    { domain, screen: uint, flags: uint },
    { mime: optional(string) },
    { stream: 'read' },
  ),
  domainSendKey: procedure(
    226,
    'DOMAIN_SEND_KEY',
    'write',
    { domain, codeset: uint, holdMs: uint, keycodes: array(uint, limits.keycodes), flags: uint },
    {},
  ),
  domainOpenGraphics: procedure(
    249,
    'DOMAIN_OPEN_GRAPHICS',
    'write',
    { domain, index: uint, flags: uint },
    {},
    { descriptors: 'call' },
  ),
  domainOpenChannel: procedure(
    296,
    'DOMAIN_OPEN_CHANNEL',
    'write',
    { domain, name: optional(string), flags: uint },
    {},
    { stream: 'both' },
  ),
  domainOpenGraphicsFd: procedure(
    343,
    'DOMAIN_OPEN_GRAPHICS_FD',
    'write',
    { domain, index: uint, flags: uint },
    {},
    { descriptors: 'reply' },
  ),
  domainDetachDeviceAlias: procedure(
    392,
    'DOMAIN_DETACH_DEVICE_ALIAS',
    'write',
    { domain, alias: string, flags: uint },
    {},
  ),
  domainFdAssociate: procedure(
    443,
    'DOMAIN_FD_ASSOCIATE',
    'write',
    { domain, name: string, flags: uint },
    {},
    { descriptors: 'call' },
  ),
}
