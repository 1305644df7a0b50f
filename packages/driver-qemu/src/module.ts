import { type DriverEntry, driverEntryId } from '@covirt/core'
import { ContainerModule } from 'inversify'
import { qemuProvider } from './qemu-provider.js'

/** The driver as a module for a daemon's container. */
export const driverModule: ContainerModule = new ContainerModule(({ bind }) => {
  bind<DriverEntry>(driverEntryId).toConstantValue({
    provider: qemuProvider,
    domainTypes: ['qemu', 'kvm'],
    warmUp: async () => void (await import('./guests.js')),
  })
})
