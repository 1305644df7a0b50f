import { procedure } from '../procedure.js'
import { domain } from '../values/index.js'
import { int, optional } from '../xdr/index.js'

/** Registration for events of domains, in the three forms that clients use. */
export const domainEventProcedures = {
  connectDomainEventRegister: procedure(
    105,
    'CONNECT_DOMAIN_EVENT_REGISTER',
    'read',
    {},
    { registrations: int },
  ),
  connectDomainEventDeregister: procedure(
    106,
    'CONNECT_DOMAIN_EVENT_DEREGISTER',
    'read',
    {},
    { registrations: int },
  ),
  connectDomainEventRegisterAny: procedure(
    167,
    'CONNECT_DOMAIN_EVENT_REGISTER_ANY',
    'read',
    { eventId: int },
    {},
  ),
  connectDomainEventDeregisterAny: procedure(
    168,
    'CONNECT_DOMAIN_EVENT_DEREGISTER_ANY',
    'read',
    { eventId: int },
    {},
  ),
  connectDomainEventCallbackRegisterAny: procedure(
    316,
    'CONNECT_DOMAIN_EVENT_CALLBACK_REGISTER_ANY',
    'read',
    { eventId: int, domain: optional(domain) },
    { callbackId: int },
  ),
  connectDomainEventCallbackDeregisterAny: procedure(
    317,
    'CONNECT_DOMAIN_EVENT_CALLBACK_DEREGISTER_ANY',
    'read',
    { callbackId: int },
    {},
  ),
}
