import {
  type CallOptions,
  type DomainRef,
  type DriverRoles,
  type SendKeyOptions,
  VirError,
} from '@covirt/core'
import { agentTime, type Guest, type GuestAccess } from '@covirt/local'
import { type GuestHandle, QemuGuest } from '../qemu-guest.js'
import { qemuKey } from './key-codes.js'
import { openGraphics, screenshot } from './screen.js'
import { readStatistics } from './statistics.js'

/** QEMU takes no more keys at a time. */
const maxKeys = 16
const defaultHoldMs = 100

/** The roles of QEMU's guests, but for those that every local driver has of its hypervisor. */
export function qemuRoles(access: GuestAccess): Partial<DriverRoles> {
  const use = <T>(
    domain: DomainRef,
    doing: string,
    options: CallOptions | undefined,
    action: (guest: GuestHandle, options: CallOptions) => Promise<T>,
  ) =>
    access.query(domain, options, (guest, call) =>
      qemuGuest(guest).use(doing, (handle) => action(handle, call)),
    )
  const guestAgent: DriverRoles['guestAgent'] = {
    agentCommand: (domain, command, options) =>
      access.query(domain, options, (guest, call) =>
        qemuGuest(guest).agentCommand(command, { ...options, ...call }),
      ),
  }
  return {
    console: {
      openConsole: (domain, options) =>
        access.query(domain, options, (guest, call) => qemuGuest(guest).openConsole({ ...options, ...call })),
    },
    reset: {
      resetDomain: (domain, options) =>
        access.job(domain, 'reset', options, (guest, call) => qemuGuest(guest).reset(call)),
    },
    addresses: {
      listInterfaceAddresses: (domain, options = {}) =>
        access.query(domain, options, (guest) => qemuGuest(guest).listInterfaceAddresses(options)),
    },
    guestAgent,
    guestTime: agentTime(guestAgent),
    graphics: {
      screenshot: (domain, options = {}) =>
        use(domain, 'Taking a picture of the screen', options, (guest) => screenshot(guest, options)),
      openGraphics: (domain, options = {}) =>
        use(domain, 'Connecting to the display', options, (guest) => openGraphics(guest, options)),
    },
    keyboard: {
      sendKey: (domain, keyCodes, options = {}) =>
        use(domain, 'Pressing keys', options, ({ monitor }, call) =>
          monitor.execute('send-key', keysOf(keyCodes, options), call).then(() => {}),
        ),
    },
    nmi: {
      injectNmi: (domain, options) =>
        use(domain, 'Interrupting', options, ({ monitor }, call) =>
          monitor.execute('inject-nmi', {}, call).then(() => {}),
        ),
    },
    statistics: {
      getStatistics: (domain, options = {}) =>
        use(domain, 'Counting', options, (guest) => readStatistics(guest, options)),
    },
  }
}

function keysOf(
  keyCodes: readonly number[],
  { codeSet = 'linux', holdTimeMs = defaultHoldMs }: SendKeyOptions,
) {
  if (keyCodes.length === 0 || keyCodes.length > maxKeys)
    throw new VirError('INVALID_ARG', `From 1 to ${maxKeys} keys can be pressed together`, { domain: 'QEMU' })
  const keys = keyCodes.map((code) => ({ type: 'number', data: qemuKey(code, codeSet) }))
  return { keys, 'hold-time': holdTimeMs }
}

function qemuGuest(guest: Guest): QemuGuest {
  if (guest instanceof QemuGuest) return guest
  throw new TypeError('The guest is not one of the QEMU driver')
}
