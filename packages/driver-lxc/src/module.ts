import { type DriverEntry, driverEntryId } from '@covirt/core'
import { ContainerModule } from 'inversify'
import { lxcProvider } from './provider.js'

/** The driver as a module for a daemon's container. */
export const driverModule: ContainerModule = new ContainerModule(({ bind }) => {
  bind<DriverEntry>(driverEntryId).toConstantValue({
    provider: lxcProvider,
    domainTypes: ['lxc'],
    warmUp: async () => void (await import('./guests.js')),
  })
})
