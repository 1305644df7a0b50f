import { connectProcedures } from './connect.js'
import { covirtProcedures } from './covirt.js'
import { domainBlockProcedures } from './domain-block.js'
import { domainCheckpointProcedures } from './domain-checkpoint.js'
import { domainDefinitionProcedures } from './domain-definition.js'
import { domainDevicesProcedures } from './domain-devices.js'
import { domainEventProcedures } from './domain-event.js'
import { domainGuestProcedures } from './domain-guest.js'
import { domainLifecycleProcedures } from './domain-lifecycle.js'
import { domainLookupProcedures } from './domain-lookup.js'
import { domainMigrationProcedures } from './domain-migration.js'
import { domainSaveProcedures } from './domain-save.js'
import { domainSnapshotProcedures } from './domain-snapshot.js'
import { domainStatsProcedures } from './domain-stats.js'
import { domainTuningProcedures } from './domain-tuning.js'
import { hostInterfaceProcedures } from './host-interface.js'
import { lxcProcedures } from './lxc.js'
import { networkProcedures } from './network.js'
import { networkFilterProcedures } from './network-filter.js'
import { nodeProcedures } from './node.js'
import { nodeDeviceProcedures } from './node-device.js'
import { qemuProcedures } from './qemu.js'
import { secretProcedures } from './secret.js'
import { storageProcedures } from './storage.js'

/** Every procedure that is declared, by the name under which both ends know it. */
export const procedures = {
  ...connectProcedures,
  ...covirtProcedures,
  ...domainBlockProcedures,
  ...domainCheckpointProcedures,
  ...domainDefinitionProcedures,
  ...domainDevicesProcedures,
  ...domainEventProcedures,
  ...domainGuestProcedures,
  ...domainLifecycleProcedures,
  ...domainLookupProcedures,
  ...domainMigrationProcedures,
  ...domainSaveProcedures,
  ...domainSnapshotProcedures,
  ...domainStatsProcedures,
  ...domainTuningProcedures,
  ...hostInterfaceProcedures,
  ...lxcProcedures,
  ...networkFilterProcedures,
  ...networkProcedures,
  ...nodeDeviceProcedures,
  ...nodeProcedures,
  ...qemuProcedures,
  ...secretProcedures,
  ...storageProcedures,
}

/** The name of a procedure. */
export type ProcedureName = keyof typeof procedures
