import type { Handlers } from '../handler.js'
import { allDomainStatsHandlers } from './all-domain-stats.js'
import { authHandlers } from './auth.js'
import { connectHandlers } from './connect.js'
import { covirtHandlers } from './covirt.js'
import { covirtStreamHandlers } from './covirt-streams.js'
import { domainCheckpointHandlers } from './domain-checkpoint.js'
import { domainCountersHandlers } from './domain-counters.js'
import { domainDefinitionHandlers } from './domain-definition.js'
import { domainDevicesHandlers } from './domain-devices.js'
import { domainEventHandlers } from './domain-event.js'
import { domainGuestHandlers } from './domain-guest.js'
import { domainInfoHandlers } from './domain-info.js'
import { domainLifecycleHandlers } from './domain-lifecycle.js'
import { domainLookupHandlers } from './domain-lookup.js'
import { domainSaveHandlers } from './domain-save.js'
import { domainScreenHandlers } from './domain-screen.js'
import { domainSnapshotHandlers } from './domain-snapshot.js'
import { domainTuningHandlers } from './domain-tuning.js'
import { hostThingsHandlers } from './host-things.js'
import { networkHandlers } from './network.js'
import { nodeHandlers } from './node.js'
import { qemuHandlers } from './qemu.js'
import { storageHandlers } from './storage.js'

/** Every handler there is, by the name of its procedure. */
export const handlers: Handlers = {
  ...allDomainStatsHandlers,
  ...authHandlers,
  ...connectHandlers,
  ...domainCountersHandlers,
  ...domainInfoHandlers,
  ...domainScreenHandlers,
  ...covirtHandlers,
  ...covirtStreamHandlers,
  ...domainCheckpointHandlers,
  ...domainDefinitionHandlers,
  ...domainDevicesHandlers,
  ...domainEventHandlers,
  ...domainGuestHandlers,
  ...domainLifecycleHandlers,
  ...domainLookupHandlers,
  ...domainSaveHandlers,
  ...domainSnapshotHandlers,
  ...domainTuningHandlers,
  ...hostThingsHandlers,
  ...networkHandlers,
  ...nodeHandlers,
  ...qemuHandlers,
  ...storageHandlers,
}
