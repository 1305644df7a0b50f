import { VirError } from '@covirt/core'
import type { Output } from '../codec/codec.js'
import { formatDocument } from '../codec/document.js'
import { attrOnly, child, record, string, textOnly, u32 } from '../codec/index.js'
import { type capabilities, parseCapabilities } from './capabilities.js'

const domainCapabilities = record({
  path: child('path', textOnly(string)),
  domain: child('domain', textOnly(string)),
  machine: child('machine', textOnly(string)),
  arch: child('arch', textOnly(string)),
  vcpu: child('vcpu', attrOnly('max', u32)),
})

/** Which guests are meant; what is left out may be anything. */
interface Wanted {
  readonly emulator?: string | undefined
  readonly arch?: string | undefined
  readonly machine?: string | undefined
  readonly type?: string | undefined
}

/** Before others, where it is not said which. */
const preferred = ['kvm', 'qemu']

/**
 * libvirt's `<domainCapabilities>` (https://libvirt.org/formatdomaincaps.html) of the guests that are `wanted`, as far as the
 * `<capabilities>` document of their host tells them. `INVALID_ARG` where it has no such guests.
 */
export function domainCapabilitiesOf(document: string, wanted: Wanted): string {
  const choices = parseCapabilities(document).guests.flatMap(choicesOf).filter(fits(wanted))
  const choice =
    preferred.map((type) => choices.find((each) => each.type === type)).find(Boolean) ?? choices[0]
  if (!choice) {
    const asked = Object.entries(wanted).flatMap(([key, value]) =>
      value === undefined ? [] : `${key} '${value}'`,
    )
    throw new VirError('INVALID_ARG', `There are no guests here with ${asked.join(', ') || 'anything'}`, {
      hint: 'The capabilities list what there is',
    })
  }
  const { machines } = choice
  const named = machines.find(({ name }) => name === wanted.machine) ?? machines[0]
  return formatDocument('domainCapabilities', domainCapabilities, {
    path: choice.emulator,
    domain: choice.type,
    machine: named?.canonical ?? named?.name,
    arch: choice.arch,
    vcpu: named?.maxCpus,
  })
}

type Guest = Output<typeof capabilities>['guests'][number]

/** What each `<domain>` of a `<guest>` runs, which says itself what differs from the others. */
function choicesOf({ arch }: Guest) {
  if (!arch) return []
  return arch.domains.map(({ type, emulator = arch.emulator, machines }) => ({
    ...{ type, emulator, arch: arch.name },
    machines: machines.length > 0 ? machines : arch.machines,
  }))
}

type Choice = ReturnType<typeof choicesOf>[number]

function fits({ emulator, arch, machine, type }: Wanted): (choice: Choice) => boolean {
  return (choice) =>
    (arch === undefined || choice.arch === arch) &&
    (type === undefined || choice.type === type) &&
    (emulator === undefined || choice.emulator === emulator) &&
    (machine === undefined || choice.machines.some(({ name }) => name === machine))
}
