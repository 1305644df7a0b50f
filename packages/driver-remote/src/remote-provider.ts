import type { DriverProvider } from '@covirt/core'
import { RemoteDriver } from './remote-driver.js'

/**
 * The provider of connections to other processes: to any URI with a transport (`qemu+ssh://…`), a host
 * (`qemu://host/system`) or a socket (`qemu:///system?socket=PATH`), and to `remote://…`, whatever stands there.
 */
export const remoteProvider: DriverProvider<RemoteDriver> = {
  schemes: ['remote'],
  probe: async () => undefined,
  open: (uri, options) => RemoteDriver.open(uri, options),
}
