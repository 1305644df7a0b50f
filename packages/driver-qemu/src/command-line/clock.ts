import type { DomainXml } from '@covirt/xml'
import { keyval, unsupported } from './arguments.js'
import type { Machine } from './machine.js'

/** `-rtc`, and how timers make up for lost ticks. */
export function clockArguments({ clock }: DomainXml, machine: Machine): string[] {
  const rtc = clock?.timers.find(({ name }) => name === 'rtc')
  const pit = clock?.timers.find(({ name }) => name === 'pit')
  for (const timer of clock?.timers ?? []) {
    if (!['rtc', 'pit', 'hpet', 'kvmclock'].includes(timer.name))
      throw unsupported(`<timer name='${timer.name}'>`)
  }
  if (pit?.tickpolicy !== undefined && pit.tickpolicy !== 'delay' && pit.tickpolicy !== 'discard')
    throw unsupported(`<timer name='pit' tickpolicy='${pit.tickpolicy}'>`)
  if (rtc?.tickpolicy !== undefined && rtc.tickpolicy !== 'delay' && rtc.tickpolicy !== 'catchup')
    throw unsupported(`<timer name='rtc' tickpolicy='${rtc.tickpolicy}'>`)
  return [
    ...keyval('-rtc', undefined, {
      base: baseOf(clock),
      driftfix: rtc?.tickpolicy === 'catchup' ? 'slew' : undefined,
    }),
    ...(pit?.tickpolicy !== undefined && machine.kvm
      ? ['-global', `kvm-pit.lost_tick_policy=${pit.tickpolicy}`]
      : []),
  ]
}

function baseOf(clock: DomainXml['clock']): string {
  const offset = clock?.offset ?? 'utc'
  if (offset === 'utc' || offset === 'localtime') return offset
  if (offset === 'absolute' && clock?.start !== undefined)
    return new Date(clock.start * 1000).toISOString().slice(0, 19)
  if (offset === 'variable' && [undefined, '0'].includes(clock?.adjustment)) return clock?.basis ?? 'utc'
  throw unsupported(`<clock offset='${offset}'> as it is given`)
}
