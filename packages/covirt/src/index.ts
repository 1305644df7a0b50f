export * from '@covirt/core'
export type { DriverStatus, HostDriver } from '@covirt/driver-host'
export type { LxcDriver } from '@covirt/driver-lxc'
export type { QemuDriver } from '@covirt/driver-qemu'
export type { LinkState, RemoteDriver } from '@covirt/driver-remote'
export type { TestDriver } from '@covirt/driver-test'
export type * from '@covirt/lifecycle'
export * from '@covirt/xml'
export { type CloneContainerOptions, cloneContainer, createEphemeral } from './clone-container.js'
export type { ContainerHome } from './container-home.js'
export {
  type CreateRootfsOptions,
  createRootfs,
  type RootfsTemplate,
  rootfsTemplates,
} from './create-rootfs.js'
export { defaultUri } from './default-uri.js'
export type { MadeContainer } from './make-container.js'
export { type ConnectOptions, type DriverOf, open } from './open.js'
export { openLifecycle } from './open-lifecycle.js'
export type { BuiltinDrivers } from './providers.js'
export { simulate } from './simulate.js'
