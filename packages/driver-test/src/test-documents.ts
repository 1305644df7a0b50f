import { VirError } from '@covirt/core'
import type { DomainXml } from '@covirt/xml'

/**
 * A definition with what it leaves open filled in: 1 GiB, one processor, a machine, a console. All devices
 * are tolerated; guests that are neither machines nor containers are refused.
 */
export function preparedDocument(document: DomainXml): DomainXml {
  const { memoryKib, vcpu, os, devices } = document
  const type = os.type ?? { type: 'hvm' }
  if (type.type !== 'hvm' && type.type !== 'exe') {
    throw new VirError('CONFIG_UNSUPPORTED', `The test driver runs no guests of OS type '${type.type}'`, {
      domain: 'TEST',
      hint: "Use 'hvm' or 'exe' in <os><type>",
    })
  }
  const hasLine = devices.consoles.length + devices.serials.length > 0
  return {
    ...document,
    memoryKib: memoryKib ?? 1_048_576n,
    vcpu: { ...vcpu, count: vcpu?.count ?? 1 },
    os: { ...os, type },
    devices: hasLine ? devices : { ...devices, consoles: [{ type: 'pty' }] },
  }
}

/** A prepared definition with what its guest has while it runs: the aliases of its lines. */
export function liveDocument(document: DomainXml): DomainXml {
  const { devices } = document
  return {
    ...document,
    devices: {
      ...devices,
      serials: devices.serials.map((each, index) => ({ ...each, alias: `serial${index}` })),
      consoles: devices.consoles.map((each, index) => ({ ...each, alias: `console${index}` })),
    },
  }
}

/** Refuses the alias of a line that a live document does not have, with `INVALID_ARG`. */
export function checkLine({ name, devices }: DomainXml, alias: string | undefined): void {
  const aliases = [...devices.consoles, ...devices.serials].map((line) => line.alias)
  if (alias === undefined || aliases.includes(alias)) return
  throw new VirError('INVALID_ARG', `Domain '${name}' has no console device '${alias}'`, {
    domain: 'TEST',
    hint: `It has ${aliases.join(', ')}, which are one and the same`,
  })
}
