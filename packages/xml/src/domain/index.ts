export type { DeviceAddressXml } from './address.js'
export type { CharacterDeviceXml } from './character-device.js'
export type { ClockXml } from './clock.js'
export {
  type DeviceKind,
  type DeviceXml,
  type DomainDevice,
  deviceElementName,
  deviceKinds,
  devicesOf,
  parseDevice,
  withDevices,
} from './device.js'
export type { DevicesXml } from './devices.js'
export type { DiskXml } from './disk.js'
export { cloneDomain, type DomainInput, type DomainXml, formatDomain, parseDomain } from './domain.js'
export type * from './emulated-devices.js'
export type { FeaturesXml } from './features.js'
export { unknownCapability } from './features.js'
export type { FilesystemXml } from './filesystem.js'
export type { GraphicsXml } from './graphics.js'
export type { InterfaceXml } from './interface.js'
export type { IdmapXml, ResourceXml, SeclabelXml } from './isolation.js'
export { metadataElement, withMetadata } from './metadata.js'
export type { OperatingSystemXml } from './operating-system.js'
export type { ProcessorXml } from './processor.js'
export type * from './tuning.js'
