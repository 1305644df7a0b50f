import { formatCapabilities } from '@covirt/xml'
import type { QemuProgram } from './qemu-program.js'

/** What the `<capabilities>` document says of this driver's guests. */
export interface GuestAbilities {
  readonly program: QemuProgram
  readonly kvm: boolean
  /** libvirt's name of the host's processor architecture. */
  readonly hostArch: string
}

/** The machines of a QEMU that this driver can use. */
const usable = /^(pc|pc-i440fx-.*|q35|pc-q35-.*|microvm)$/

/** Listed first, as clients take it where it is not said which. */
function isDefault({ alias }: QemuProgram['machines'][number]): boolean {
  return alias === 'pc'
}

/** libvirt's `<capabilities>`, as far as virtual machines go. */
export function qemuCapabilities({ program, kvm, hostArch }: GuestAbilities): string {
  const machines = program.machines
    .filter(({ name }) => usable.test(name))
    .sort((a, b) => Number(isDefault(b)) - Number(isDefault(a)))
    .flatMap(({ name, maxCpus, alias }) => [
      ...(alias === undefined ? [] : [{ name: alias, canonical: name, maxCpus }]),
      { name, maxCpus },
    ])
  return formatCapabilities({
    host: { cpu: { arch: hostArch } },
    guests: [
      {
        osType: 'hvm',
        arch: {
          name: 'x86_64',
          wordSize: 64,
          emulator: program.path,
          machines,
          domains: [{ type: 'qemu' }, ...(kvm ? [{ type: 'kvm' }] : [])],
        },
        features: {
          acpi: { default: true, toggle: true },
          apic: { default: true, toggle: false },
          deviceBoot: true,
        },
      },
    ],
  })
}
