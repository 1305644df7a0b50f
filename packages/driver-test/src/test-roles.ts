import { Readable } from 'node:stream'
import {
  type CallOptions,
  type DomainRef,
  type DomainStatistics,
  type DriverRoles,
  keyCodeSets,
  statisticsParts,
  VirError,
} from '@covirt/core'
import type { Guest, GuestAccess } from '@covirt/local'
import type { DomainXml } from '@covirt/xml'
import { type Machine, machineIsOff } from './machine.js'
import { TestGuest } from './test-guest.js'

type DeviceRoles = Pick<DriverRoles, 'graphics' | 'keyboard' | 'nmi' | 'statistics'>

/** What simulated guests have of screens, keys and counters. */
export function deviceRoles(access: GuestAccess): DeviceRoles {
  const use = <T>(domain: DomainRef, options: CallOptions | undefined, action: (machine: Machine) => T) =>
    access.query(domain, options, async (guest) => action(machineOf(guest)))
  return {
    graphics: {
      screenshot: (domain, options = {}) =>
        use(domain, options, ({ document }) => {
          checkDisplay(document, options.screen)
          return { mimeType: 'image/x-portable-pixmap', stream: Readable.from([blackPixel]) }
        }),
      openGraphics: (domain, options = {}) =>
        use(domain, options, (machine) => {
          checkDisplay(machine.document, options.index)
          return machine.openDisplay()
        }),
    },
    keyboard: {
      sendKey: (domain, keyCodes, { codeSet = 'linux', ...options } = {}) =>
        use(domain, options, (machine) => {
          if (!keyCodeSets.includes(codeSet))
            throw new VirError('ARGUMENT_UNSUPPORTED', `There is no set of key codes '${codeSet}'`, {
              domain: 'TEST',
            })
          checkKeys(keyCodes)
          machine.pressKeys(keyCodes)
        }),
    },
    nmi: { injectNmi: (domain, options) => use(domain, options, (machine) => machine.interrupt()) },
    statistics: {
      getStatistics: (domain, options = {}) =>
        use(domain, options, (machine) => statisticsOf(machine, options.parts)),
    },
  }
}

/** A picture of one black pixel (ppm(5)). */
const blackPixel = Buffer.from('P6\n1 1\n255\n\0\0\0')

const maxKeys = 16

/** Every device is as busy as the processors: a byte and a request for each millisecond. */
function statisticsOf(machine: Machine, parts: readonly string[] = statisticsParts): DomainStatistics {
  const { document, memoryKib, cpuTimeNs } = machine
  const { disks, interfaces } = document.devices
  const count = cpuTimeNs / 1_000_000n
  const vcpus = document.vcpu?.current ?? document.vcpu?.count ?? 1
  return {
    ...(parts.includes('blocks') && {
      blocks: disks.map(({ target }) => ({
        target: target.dev,
        readRequests: count,
        writeRequests: count,
        flushRequests: count,
        readBytes: count,
        writeBytes: count,
        readTimeNs: cpuTimeNs,
        writeTimeNs: cpuTimeNs,
        flushTimeNs: cpuTimeNs,
      })),
    }),
    ...(parts.includes('interfaces') && {
      interfaces: interfaces.map(({ target }, index) => ({
        target: target?.dev ?? `vnet${index}`,
        receivedBytes: count,
        receivedPackets: count,
        receivedErrors: 0n,
        receivedDropped: 0n,
        sentBytes: count,
        sentPackets: count,
        sentErrors: 0n,
        sentDropped: 0n,
      })),
    }),
    ...(parts.includes('vcpus') && {
      vcpus: Array.from({ length: vcpus }, (_, number) => ({
        number,
        state: 'running' as const,
        timeNs: cpuTimeNs,
      })),
    }),
    ...(parts.includes('memory') && {
      memory: { actualKib: BigInt(memoryKib), residentKib: BigInt(memoryKib) },
    }),
  }
}

function checkDisplay({ name, devices }: DomainXml, index = 0): void {
  if (index < devices.graphics.length) return
  throw new VirError('INVALID_ARG', `Domain '${name}' has no display ${index}`, {
    domain: 'TEST',
    hint: 'Give it a <graphics>',
  })
}

function checkKeys(keyCodes: readonly number[]): void {
  const areKeys = keyCodes.every((code) => Number.isInteger(code) && code > 0 && code < 256)
  if (areKeys && keyCodes.length > 0 && keyCodes.length <= maxKeys) return
  throw new VirError(
    'INVALID_ARG',
    `From 1 to ${maxKeys} keys, each from 1 to 255, can be pressed together`,
    {
      domain: 'TEST',
    },
  )
}

function machineOf(guest: Guest): Machine {
  if (!(guest instanceof TestGuest)) throw new TypeError('not a guest of the test driver')
  if (guest.machine.isOff) throw machineIsOff(guest.document.name)
  return guest.machine
}
