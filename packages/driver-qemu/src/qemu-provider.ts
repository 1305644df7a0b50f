import {
  type AddressesRole,
  type ConsoleRole,
  type DevicesRole,
  type Driver,
  type GraphicsRole,
  type GuestAgentRole,
  type GuestTimeRole,
  type KeyboardRole,
  messageOf,
  type NmiRole,
  type ResetRole,
  type SavedStateRole,
  type SnapshotsRole,
  type StatisticsRole,
  type TuningRole,
  VirError,
} from '@covirt/core'
import { localProvider } from '@covirt/local'
import { QemuHypervisor } from './qemu-hypervisor.js'
import { findProgram, inspectProgram } from './qemu-program.js'

/** The driver of QEMU's virtual machines, with the roles it has. */
export interface QemuDriver extends Driver {
  readonly console: ConsoleRole
  readonly reset: ResetRole
  readonly guestAgent: GuestAgentRole
  readonly savedState: SavedStateRole
  readonly graphics: GraphicsRole
  readonly keyboard: KeyboardRole
  readonly nmi: NmiRole
  readonly guestTime: GuestTimeRole
  readonly statistics: StatisticsRole
  readonly devices: DevicesRole
  readonly tuning: TuningRole
  readonly exec?: undefined
  readonly processes?: undefined
  readonly addresses: AddressesRole
  readonly files?: undefined
  readonly snapshots: SnapshotsRole
}

const program = 'qemu-system-x86_64'
const install = "install QEMU (Debian and Ubuntu: 'apt install qemu-system-x86')"

/** Virtual machines: `qemu:///system` for root, `qemu:///session` for any user. */
export const qemuProvider = localProvider<QemuDriver>({
  scheme: 'qemu',
  paths: ['/system', '/session'],
  probe: async () => {
    const path = await findProgram(program)
    return path === undefined ? `there is no ${program} in the PATH: ${install}` : undefined
  },
  hypervisor: async ({ stateDirectory }) => {
    const path = await findProgram(program)
    try {
      if (path === undefined) throw new Error(`there is no ${program} in the PATH`)
      return new QemuHypervisor(await inspectProgram(path, stateDirectory))
    } catch (error) {
      throw new VirError('NO_CONNECT', `QEMU cannot be used: ${messageOf(error)}`, {
        domain: 'QEMU',
        cause: error,
        hint: `Please ${install}`,
      })
    }
  },
})
