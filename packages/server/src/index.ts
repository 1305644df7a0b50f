export {
  type FindVerifier,
  formatScramVerifier,
  makeScramVerifier,
  parseScramVerifier,
  preparedText,
  type ScramVerifier,
  scramVerifierOfNobody,
} from '@covirt/protocol'
export * from './access/access-policy.js'
export type { Identity } from './access/identity.js'
export type { OpenDriver } from './access/session-access.js'
export type { ServerLimits } from './limits.js'
export * from './server.js'
export type { Service, ServiceCallOptions, ServiceMethod } from './service.js'
export type { AcceptOptions } from './session.js'
