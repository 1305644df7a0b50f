import type { Output } from '../codec/codec.js'
import {
  attr,
  child,
  children,
  oneOf,
  raw,
  record,
  required,
  size,
  string,
  text,
  textOnly,
  u32,
  yesNo,
} from '../codec/index.js'

/** `<topology>` of a virtual processor. */
export const topology = record({
  sockets: attr('sockets', u32),
  dies: attr('dies', u32),
  clusters: attr('clusters', u32),
  cores: attr('cores', u32),
  threads: attr('threads', u32),
})

const numaCell = record({
  id: attr('id', u32),
  cpus: attr('cpus', string),
  memoryKib: size({ attribute: 'memory', assume: 'KiB', as: 'KiB' }),
  memAccess: attr('memAccess', oneOf('shared', 'private')),
  discard: attr('discard', yesNo),
  distances: child('distances', raw),
})

/** `<cpu>` of a domain. */
export const processor = record({
  mode: attr('mode', oneOf('custom', 'host-model', 'host-passthrough', 'maximum')),
  match: attr('match', oneOf('minimum', 'exact', 'strict')),
  check: attr('check', oneOf('none', 'partial', 'full')),
  migratable: attr('migratable', oneOf('on', 'off')),
  model: child(
    'model',
    record({
      fallback: attr('fallback', oneOf('allow', 'forbid')),
      vendorId: attr('vendor_id', string),
      name: text(string),
    }),
  ),
  vendor: child('vendor', textOnly(string)),
  topology: child('topology', topology),
  cache: child(
    'cache',
    record({ level: attr('level', u32), mode: attr('mode', oneOf('emulate', 'passthrough', 'disable')) }),
  ),
  features: children(
    'feature',
    record({
      policy: attr('policy', oneOf('force', 'require', 'optional', 'disable', 'forbid')),
      name: required(attr('name', string)),
    }),
  ),
  numa: child('numa', record({ cells: children('cell', numaCell) })),
})

export type ProcessorXml = Output<typeof processor>
