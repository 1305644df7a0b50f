import type { Input, Output } from '../codec/codec.js'
import {
  anyText,
  attr,
  child,
  children,
  duration,
  integer,
  oneOf,
  port,
  record,
  required,
  string,
  uuid,
  yesNo,
} from '../codec/index.js'

const cadence = {
  /** How long after one attempt the next is made. */
  intervalMs: attr('interval', duration),
  /** How long it may take until the probe succeeds. */
  timeoutMs: attr('timeout', duration),
}

const number = integer(-0x8000_0000, 0x7fff_ffff)

/** `<after domain='db' until='ready' on-failure='skip'/>`. */
const after = record({
  domain: attr('domain', string),
  uuid: attr('uuid', uuid),
  until: attr('until', oneOf('started', 'ready')),
  /** What becomes of this domain where the other one does not come so far. */
  onFailure: attr('on-failure', oneOf('skip', 'start')),
})

/** `<requires mount='/srv'/>`: one of the attributes says what is to be there. */
const requires = record({
  mount: attr('mount', string),
  network: attr('network', string),
  pool: attr('pool', string),
  timeoutMs: attr('timeout', duration),
})

const ready = record({
  ...cadence,
  /** Whether all of the probes are to succeed or one of them is enough. */
  match: attr('match', oneOf('all', 'any')),
  agents: children('agent', record(cadence)),
  tcps: children(
    'tcp',
    record({ host: attr('host', string), port: required(attr('port', port)), ...cadence }),
  ),
  https: children(
    'http',
    record({ url: required(attr('url', string)), status: attr('status', integer(100, 599)), ...cadence }),
  ),
  execs: children('exec', record({ args: children('arg', anyText), ...cadence })),
  consoles: children(
    'console',
    record({ pattern: required(attr('pattern', string)), device: attr('device', string), ...cadence }),
  ),
  addresses: children('address', record({ family: attr('family', oneOf('ipv4', 'ipv6')), ...cadence })),
  inits: children('init', record(cadence)),
  notifies: children('notify', record(cadence)),
})

const start = record({
  order: attr('order', number),
  /** How long after its start those that wait for it go on waiting. */
  delayMs: attr('delay', duration),
  attempts: attr('attempts', integer(1, 1000)),
  /** How long after the first failed attempt the second is made; it doubles with each further one. */
  backoffMs: attr('backoff', duration),
  /** How long one attempt may take. */
  timeoutMs: attr('timeout', duration),
  /** It is started at boot if it was up when the host went down. */
  restore: attr('restore', yesNo),
  /** It is started at the next boot, and not at those after it. */
  once: attr('once', yesNo),
  after: children('after', after),
  requires: children('requires', requires),
  ready: child('ready', ready),
})

const stop = record({
  action: attr('action', oneOf('shutdown', 'save', 'destroy', 'leave')),
  /** Those with a higher one go down first. */
  priority: attr('priority', number),
  rungs: children(
    'try',
    record({
      by: required(attr('by', oneOf('agent', 'acpi', 'signal', 'request', 'save', 'destroy'))),
      budgetMs: attr('budget', duration),
    }),
  ),
})

/** `<lifecycle xmlns='urn:covirt:lifecycle:1'>`: when and how a domain comes up and goes down with its host. */
export const lifecycle = record({ start: child('start', start), stop: child('stop', stop) })

/** What a domain's metadata say of its coming up and going down. Defaults are not filled in. */
export type LifecycleXml = Output<typeof lifecycle>

/** What such metadata can be written from: {@link LifecycleXml} with lists optional. */
export type LifecycleInput = Input<typeof lifecycle>
