export { preparedText } from './prepared-text.js'
export { scramMechanism } from './scram-attributes.js'
export { ScramClient } from './scram-client.js'
export {
  formatScramVerifier,
  makeScramVerifier,
  parseScramVerifier,
  type ScramVerifier,
  scramVerifierOfNobody,
} from './scram-keys.js'
export { type FindVerifier, ScramServer } from './scram-server.js'
