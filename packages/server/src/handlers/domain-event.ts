import type { Handlers } from '../handler.js'

const lifecycle = 0

export const domainEventHandlers = {
  connectDomainEventRegister: ({ session, driver }) => ({
    registrations: session.events.addLegacy(driver, lifecycle),
  }),
  connectDomainEventDeregister: ({ session }) => ({ registrations: session.events.removeLegacy(lifecycle) }),
  connectDomainEventRegisterAny: ({ session, driver }, { eventId }) => {
    session.events.addLegacy(driver, eventId)
  },
  connectDomainEventDeregisterAny: ({ session }, { eventId }) => {
    session.events.removeLegacy(eventId)
  },
  connectDomainEventCallbackRegisterAny: ({ session, driver }, { eventId, domain }) => ({
    callbackId: session.events.add(driver, eventId, domain),
  }),
  connectDomainEventCallbackDeregisterAny: ({ session }, { callbackId }) => session.events.remove(callbackId),
} satisfies Handlers
