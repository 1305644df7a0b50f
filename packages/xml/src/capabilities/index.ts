export {
  type CapabilitiesInput,
  type CapabilitiesXml,
  formatCapabilities,
  parseCapabilities,
} from './capabilities.js'
