import {
  type CallOptions,
  type DomainRef,
  type DriverRoles,
  type SendKeyOptions,
  VirError,
} from '@covirt/core'
import { agentTime, type Guest, type GuestAccess } from '@covirt/local'
import { loadGuests } from '../load-guests.js'
import type { GuestHandle, QemuGuest } from '../qemu-guest.js'

/** QEMU takes no more keys at a time. */
const maxKeys = 16
const defaultHoldMs = 100

type Guests = typeof import('../guests.js')

/** The roles of QEMU's guests, but for those that every local driver has of its hypervisor. */
export function qemuRoles(access: GuestAccess): Partial<DriverRoles> {
  const use = <T>(
    domain: DomainRef,
    doing: string,
    options: CallOptions | undefined,
    action: (guest: GuestHandle, options: CallOptions, guests: Guests) => Promise<T>,
  ) =>
    access.query(domain, options, async (guest, call) => {
      const guests = await loadGuests()
      return (await qemuGuest(guest)).use(doing, (handle) => action(handle, call, guests))
    })
  const guestAgent: DriverRoles['guestAgent'] = {
    agentCommand: (domain, command, options) =>
      access.query(domain, options, async (guest, call) =>
        (await qemuGuest(guest)).agentCommand(command, { ...options, ...call }),
      ),
  }
  return {
    console: {
      openConsole: (domain, options) =>
        access.query(domain, options, async (guest, call) =>
          (await qemuGuest(guest)).openConsole({ ...options, ...call }),
        ),
    },
    reset: {
      resetDomain: (domain, options) =>
        access.job(domain, 'reset', options, async (guest, call) => (await qemuGuest(guest)).reset(call)),
    },
    addresses: {
      listInterfaceAddresses: (domain, options = {}) =>
        access.query(domain, options, async (guest) =>
          (await qemuGuest(guest)).listInterfaceAddresses(options),
        ),
    },
    guestAgent,
    guestTime: agentTime(guestAgent),
    graphics: {
      screenshot: (domain, options = {}) =>
        use(domain, 'Taking a picture of the screen', options, (guest, _, { screenshot }) =>
          screenshot(guest, options),
        ),
      openGraphics: (domain, options = {}) =>
        use(domain, 'Connecting to the display', options, (guest, _, { openGraphics }) =>
          openGraphics(guest, options),
        ),
    },
    keyboard: {
      sendKey: (domain, keyCodes, options = {}) =>
        use(domain, 'Pressing keys', options, ({ monitor }, call, { qemuKey }) =>
          monitor.execute('send-key', keysOf(keyCodes, options, qemuKey), call).then(() => {}),
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
        use(domain, 'Counting', options, (guest, _, { readStatistics }) => readStatistics(guest, options)),
    },
  }
}

function keysOf(
  keyCodes: readonly number[],
  { codeSet = 'linux', holdTimeMs = defaultHoldMs }: SendKeyOptions,
  qemuKey: Guests['qemuKey'],
) {
  if (keyCodes.length === 0 || keyCodes.length > maxKeys)
    throw new VirError('INVALID_ARG', `From 1 to ${maxKeys} keys can be pressed together`, { domain: 'QEMU' })
  const keys = keyCodes.map((code) => ({ type: 'number', data: qemuKey(code, codeSet) }))
  return { keys, 'hold-time': holdTimeMs }
}

async function qemuGuest(guest: Guest): Promise<QemuGuest> {
  const { QemuGuest } = await loadGuests()
  if (guest instanceof QemuGuest) return guest
  throw new TypeError('The guest is not one of the QEMU driver')
}
