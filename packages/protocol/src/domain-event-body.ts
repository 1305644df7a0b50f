import { type DomainEvent, type DomainRef, type LifecycleEventName, lifecycleDetails } from '@covirt/core'

const events = Object.keys(lifecycleDetails) as readonly LifecycleEventName[]
const agentStates = [undefined, 'connected', 'disconnected'] as const
/** VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_CHANNEL: its channel was opened or closed. */
const agentReasonChannel = 2

/** What of an event travels, but for the id of a registration. */
export type DomainEventBody =
  | { readonly name: 'lifecycle'; readonly body: LifecycleBody }
  | { readonly name: 'reboot'; readonly body: { readonly domain: DomainRef } }
  | { readonly name: 'agentLifecycle'; readonly body: AgentBody }

interface LifecycleBody {
  readonly domain: DomainRef
  readonly event: number
  readonly detail: number
}

interface AgentBody {
  readonly domain: DomainRef
  readonly state: number
  readonly reason: number
}

/** `event` as libvirt tells it. */
export function eventToBody(event: DomainEvent): DomainEventBody {
  const { domain } = event
  switch (event.type) {
    case 'lifecycle': {
      const details: readonly string[] = lifecycleDetails[event.event]
      const detail = Math.max(0, details.indexOf(event.detail))
      return { name: 'lifecycle', body: { domain, event: events.indexOf(event.event), detail } }
    }
    case 'reboot':
      return { name: 'reboot', body: { domain } }
    case 'agent': {
      const state = agentStates.indexOf(event.state)
      return { name: 'agentLifecycle', body: { domain, state, reason: agentReasonChannel } }
    }
  }
}

/** What libvirt has told, as an event; `undefined` where its numbers have no name here. */
export function eventFromBody({ name, body }: DomainEventBody): DomainEvent | undefined {
  const { domain } = body
  switch (name) {
    case 'lifecycle': {
      const event = events[body.event]
      const detail = event && lifecycleDetails[event][body.detail]
      return detail && ({ type: 'lifecycle', domain, event, detail } as DomainEvent)
    }
    case 'reboot':
      return { type: 'reboot', domain }
    case 'agentLifecycle': {
      const state = agentStates[body.state]
      return state && { type: 'agent', domain, state }
    }
  }
}
