import { arch } from 'node:os'
import type { CallOptions, DriverRoles } from '@covirt/core'
import type { AdoptSpec, Guest, GuestAccess, Hypervisor, LaunchSpec, StorageSnapshots } from '@covirt/local'
import type { DomainXml } from '@covirt/xml'
import { qemuCapabilities } from './capabilities.js'
import { planGuest } from './command-line/guest-plan.js'
import { loadGuests } from './load-guests.js'
import { withDefaults, withMachineVersion } from './prepare-definition.js'
import { canUseKvm, type QemuProgram } from './qemu-program.js'
import { qemuRoles } from './roles/qemu-roles.js'

/** Runs each guest in a QEMU process of its own: emulated (`qemu`) or on KVM (`kvm`). */
export class QemuHypervisor implements Hypervisor {
  readonly type = 'QEMU'
  readonly errorDomain = 'QEMU'
  readonly domainTypes = ['qemu', 'kvm'] as const
  readonly savesGuests = true
  /** Guests are in no control groups of their own. */
  readonly tuning = { scheduler: {}, memory: {}, blkio: {} }
  readonly snapshots: StorageSnapshots = {
    savesMemory: true,
    take: async (spec, options) => new (await loadGuests()).Qcow2Snapshots().take(spec, options),
    restore: async (spec, options) => new (await loadGuests()).Qcow2Snapshots().restore(spec, options),
    remove: async (spec) => new (await loadGuests()).Qcow2Snapshots().remove(spec),
  }
  readonly versions: Readonly<Record<string, string>>
  readonly #program: QemuProgram

  constructor(program: QemuProgram) {
    this.#program = program
    this.versions = { qemu: program.version }
  }

  async getCapabilities(): Promise<string> {
    const hostArch = arch() === 'x64' ? 'x86_64' : arch()
    return qemuCapabilities({ program: this.#program, kvm: await canUseKvm(), hostArch })
  }

  prepare(document: DomainXml): DomainXml {
    const prepared = withMachineVersion(withDefaults(document), this.#program)
    planGuest(prepared)
    return prepared
  }

  async launch(spec: LaunchSpec, options: CallOptions): Promise<Guest> {
    const { finishRevert, launchGuest } = await loadGuests()
    await finishRevert(spec)
    return launchGuest(spec, options)
  }

  async adopt(spec: AdoptSpec, options: CallOptions): Promise<Guest | undefined> {
    const { adoptGuest } = await loadGuests()
    return adoptGuest(spec, options)
  }

  async kill(spec: AdoptSpec): Promise<void> {
    const { endGuest } = await loadGuests()
    return endGuest(spec)
  }

  roles(access: GuestAccess): Partial<DriverRoles> {
    return qemuRoles(access)
  }

  async close(): Promise<void> {}
}
