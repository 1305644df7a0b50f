import { arch } from 'node:os'
import type { CallOptions, DriverRoles } from '@covirt/core'
import type { AdoptSpec, Guest, GuestAccess, Hypervisor, LaunchSpec } from '@covirt/local'
import type { DomainXml } from '@covirt/xml'
import { adoptGuest } from './adopt-guest.js'
import { qemuCapabilities } from './capabilities.js'
import { planGuest } from './command-line/guest-plan.js'
import { endGuest } from './end-guest.js'
import { launchGuest } from './launch-guest.js'
import { withDefaults, withMachineVersion } from './prepare-definition.js'
import { canUseKvm, type QemuProgram } from './qemu-program.js'
import { qemuRoles } from './roles/qemu-roles.js'
import { Qcow2Snapshots } from './snapshots/qcow2-snapshots.js'
import { finishRevert } from './snapshots/revert-note.js'

/** Runs each guest in a QEMU process of its own: emulated (`qemu`) or on KVM (`kvm`). */
export class QemuHypervisor implements Hypervisor {
  readonly type = 'QEMU'
  readonly errorDomain = 'QEMU'
  readonly domainTypes = ['qemu', 'kvm'] as const
  readonly savesGuests = true
  /** Guests are in no control groups of their own. */
  readonly tuning = { scheduler: {}, memory: {}, blkio: {} }
  readonly snapshots = new Qcow2Snapshots()
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
    await finishRevert(spec)
    return launchGuest(spec, options)
  }

  adopt(spec: AdoptSpec, options: CallOptions): Promise<Guest | undefined> {
    return adoptGuest(spec, options)
  }

  kill(spec: AdoptSpec): Promise<void> {
    return endGuest(spec)
  }

  roles(access: GuestAccess): Partial<DriverRoles> {
    return qemuRoles(access)
  }

  async close(): Promise<void> {}
}
