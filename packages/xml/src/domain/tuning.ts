import type { Output } from '../codec/codec.js'
import {
  attr,
  attrOnly,
  child,
  children,
  i64,
  oneOf,
  only,
  openSet,
  raw,
  record,
  required,
  size,
  string,
  textOnly,
  u32,
  u64,
} from '../codec/index.js'

const kib = only(size({ assume: 'KiB', as: 'KiB' }))
const periodUs = textOnly(u64)
/** Microseconds in each period; negative is no limit. */
const quotaUs = textOnly(i64)

/** `<cputune>`. */
export const cputune = record({
  shares: child('shares', textOnly(u64)),
  periodUs: child('period', periodUs),
  quotaUs: child('quota', quotaUs),
  globalPeriodUs: child('global_period', periodUs),
  globalQuotaUs: child('global_quota', quotaUs),
  emulatorPeriodUs: child('emulator_period', periodUs),
  emulatorQuotaUs: child('emulator_quota', quotaUs),
  iothreadPeriodUs: child('iothread_period', periodUs),
  iothreadQuotaUs: child('iothread_quota', quotaUs),
  vcpuPins: children(
    'vcpupin',
    record({ vcpu: required(attr('vcpu', u32)), cpuset: required(attr('cpuset', string)) }),
  ),
  emulatorPin: child('emulatorpin', attrOnly('cpuset', string)),
  iothreadPins: children(
    'iothreadpin',
    record({ iothread: required(attr('iothread', u32)), cpuset: required(attr('cpuset', string)) }),
  ),
  vcpuSchedulers: children('vcpusched', raw),
})
export type CputuneXml = Output<typeof cputune>

/** `<memtune>`; sizes in KiB. */
export const memtune = record({
  hardLimitKib: child('hard_limit', kib),
  softLimitKib: child('soft_limit', kib),
  minGuaranteeKib: child('min_guarantee', kib),
  swapHardLimitKib: child('swap_hard_limit', kib),
})
export type MemtuneXml = Output<typeof memtune>

/** `<blkiotune>`. */
export const blkiotune = record({
  weight: child('weight', textOnly(u32)),
  devices: children(
    'device',
    record({
      path: child('path', textOnly(string)),
      weight: child('weight', textOnly(u32)),
      readIopsSec: child('read_iops_sec', textOnly(u32)),
      writeIopsSec: child('write_iops_sec', textOnly(u32)),
      readBytesSec: child('read_bytes_sec', textOnly(u64)),
      writeBytesSec: child('write_bytes_sec', textOnly(u64)),
    }),
  ),
})
export type BlkiotuneXml = Output<typeof blkiotune>

/** `<numatune>`. */
export const numatune = record({
  memory: child(
    'memory',
    record({
      mode: attr('mode', oneOf('strict', 'preferred', 'interleave', 'restrictive')),
      nodeset: attr('nodeset', string),
      placement: attr('placement', oneOf('static', 'auto')),
    }),
  ),
  nodes: children('memnode', raw),
})
export type NumatuneXml = Output<typeof numatune>

/** `<memoryBacking>`. */
export const memoryBacking = record({
  hugepages: child('hugepages', raw),
  nosharepages: child('nosharepages', raw),
  locked: child('locked', raw),
  source: child('source', attrOnly('type', openSet('file', 'anonymous', 'memfd'))),
  access: child('access', attrOnly('mode', oneOf('shared', 'private'))),
  allocation: child(
    'allocation',
    record({ mode: attr('mode', oneOf('immediate', 'ondemand')), threads: attr('threads', u32) }),
  ),
  discard: child('discard', raw),
})
export type MemoryBackingXml = Output<typeof memoryBacking>
