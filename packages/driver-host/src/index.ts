export * from './documents.js'
export { HostDriver, type HostDriverOptions } from './host-driver.js'
export * from './host-provider.js'
export type { DriverStatus, HostMember } from './member.js'
