export {
  type CapabilitiesInput,
  type CapabilitiesXml,
  formatCapabilities,
  parseCapabilities,
} from './capabilities.js'
export { domainCapabilitiesOf } from './domain-capabilities.js'
