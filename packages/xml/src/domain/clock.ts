import type { Output } from '../codec/codec.js'
import {
  attr,
  child,
  children,
  integer,
  oneOf,
  openSet,
  raw,
  record,
  required,
  string,
  yesNo,
} from '../codec/index.js'

const timer = record({
  name: required(
    attr('name', openSet('platform', 'pit', 'rtc', 'hpet', 'tsc', 'kvmclock', 'hypervclock', 'armvtimer')),
  ),
  track: attr('track', oneOf('boot', 'guest', 'wall', 'realtime')),
  tickpolicy: attr('tickpolicy', oneOf('delay', 'catchup', 'merge', 'discard')),
  frequencyHz: attr('frequency', integer(0, Number.MAX_SAFE_INTEGER)),
  mode: attr('mode', oneOf('auto', 'native', 'emulate', 'paravirt', 'smpsafe')),
  present: attr('present', yesNo),
  catchup: child('catchup', raw),
})

/** `<clock>`. */
export const clock = record({
  offset: attr('offset', oneOf('utc', 'localtime', 'timezone', 'variable', 'absolute')),
  timezone: attr('timezone', string),
  basis: attr('basis', oneOf('utc', 'localtime')),
  /** Seconds, or `reset`. */
  adjustment: attr('adjustment', string),
  start: attr('start', integer(0, Number.MAX_SAFE_INTEGER)),
  timers: children('timer', timer),
})

export type ClockXml = Output<typeof clock>
