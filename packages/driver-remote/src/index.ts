export type { PeerService, PeerServiceOptions } from './peer-service.js'
export type { LinkState } from './reconnecting-link.js'
export type { RemoteDriver } from './remote-driver.js'
export { remoteProvider } from './remote-provider.js'
