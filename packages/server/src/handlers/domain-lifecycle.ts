import { type DomainRef, requireRole, type ShutdownMode, VirError } from '@covirt/core'
import type { Call, Handlers } from '../handler.js'
import { checkFlags, hasFlag } from './flags.js'

/**
 * virDomainCreateFlags. What concerns caches and variables of firmwares has nothing to concern here; schemas are
 * always checked.
 */
const create = { paused: 1, autodestroy: 2, forceBoot: 8 }
const createKnown = 0x3f
/** VIR_DOMAIN_DESTROY_GRACEFUL: fail rather than end the guest by force. */
const destroyGraceful = 1

/** virDomainShutdownFlagValues and virDomainRebootFlagValues, which are the same. */
const modes: readonly (readonly [number, ShutdownMode])[] = [
  [1, 'acpi'],
  [2, 'agent'],
  [4, 'initctl'],
  [8, 'signal'],
]

export const domainLifecycleHandlers = {
  domainCreate: async ({ driver, options }, { domain }) => {
    await driver.startDomain(domain, options)
  },
  domainCreateWithFlags: async (call, { domain, flags }) => {
    const { driver, options } = call
    const started = await driver.startDomain(domain, {
      ...options,
      paused: pausedBy(flags),
      forceBoot: hasFlag(flags, create.forceBoot),
    })
    return { domain: bindToSession(call, started, flags) }
  },
  domainCreateXml: async (call, { xml, flags }) => {
    const { driver, options } = call
    const started = await driver.createDomain(xml, { ...options, paused: pausedBy(flags) })
    return { domain: bindToSession(call, started, flags) }
  },
  domainShutdown: ({ driver, options }, { domain }) => driver.shutdownDomain(domain, options),
  domainShutdownFlags: ({ driver, options }, { domain, flags }) =>
    driver.shutdownDomain(domain, { ...options, mode: modeOf(flags) }),
  domainReboot: ({ driver, options }, { domain, flags }) =>
    driver.rebootDomain(domain, { ...options, mode: modeOf(flags) }),
  domainReset: ({ driver, options }, { domain, flags }) => {
    checkFlags(flags, 0, 'a reset')
    return requireRole(driver, 'reset').resetDomain(domain, options)
  },
  domainDestroy: ({ driver, options }, { domain }) => driver.destroyDomain(domain, options),
  domainDestroyFlags: ({ driver, options }, { domain, flags }) => {
    checkFlags(flags, destroyGraceful, 'destroying a domain')
    return driver.destroyDomain(domain, options)
  },
  domainSuspend: ({ driver, options }, { domain }) => driver.suspendDomain(domain, options),
  domainResume: ({ driver, options }, { domain }) => driver.resumeDomain(domain, options),
} satisfies Handlers

function pausedBy(flags: number): boolean {
  checkFlags(flags, createKnown, 'starting a domain')
  return hasFlag(flags, create.paused)
}

function bindToSession({ session }: Call, domain: DomainRef, flags: number): DomainRef {
  if (hasFlag(flags, create.autodestroy)) session.autodestroy.add(domain)
  return domain
}

/** The one means that the flags name; with several of them the driver chooses. */
function modeOf(flags: number): ShutdownMode | undefined {
  const named = modes.filter(([flag]) => hasFlag(flags, flag))
  const known = modes.reduce((sum, [flag]) => sum | flag, 0)
  if ((flags & ~known) !== 0)
    throw new VirError('ARGUMENT_UNSUPPORTED', 'Guests cannot be asked in this way', {
      hint: `There are: ${modes.map(([, mode]) => mode).join(', ')}`,
    })
  return named.length === 1 ? named[0]?.[1] : undefined
}
