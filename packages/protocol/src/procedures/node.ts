import { limits } from '../limits.js'
import { procedure } from '../procedure.js'
import { characters, fixedCharacters, typedParameters } from '../values/index.js'
import { array, bool, int, opaque, string, struct, uhyper, uint } from '../xdr/index.js'

const statistic = struct({ field: string, value: uhyper })

/** The host: what it has and what it has left. */
export const nodeProcedures = {
  nodeGetInfo: procedure(
    6,
    'NODE_GET_INFO',
    'read',
    {},
    {
      model: fixedCharacters(32),
      memoryKib: uhyper,
      cpus: int,
      mhz: int,
      nodes: int,
      sockets: int,
      cores: int,
      threads: int,
    },
  ),
  nodeGetCellsFreeMemory: procedure(
    101,
    'NODE_GET_CELLS_FREE_MEMORY',
    'read',
    { startCell: int, max: int },
    { cells: array(uhyper, limits.numaCells) },
  ),
  nodeGetFreeMemory: procedure(102, 'NODE_GET_FREE_MEMORY', 'read', {}, { memoryBytes: uhyper }),
  nodeGetSecurityModel: procedure(
    122,
    'NODE_GET_SECURITY_MODEL',
    'read',
    {},
    { model: characters(limits.securityModelChars), doi: characters(limits.securityModelChars) },
  ),
  nodeGetCpuStats: procedure(
    227,
    'NODE_GET_CPU_STATS',
    'read',
    { cpu: int, count: int, flags: uint },
    { parameters: array(statistic, limits.parameters), count: int },
  ),
  nodeGetMemoryStats: procedure(
    228,
    'NODE_GET_MEMORY_STATS',
    'read',
    { count: int, cell: int, flags: uint },
    { parameters: array(statistic, limits.parameters), count: int },
  ),
  nodeSuspendForDuration: procedure(
    250,
    'NODE_SUSPEND_FOR_DURATION',
    'write',
    { target: uint, duration: uhyper, flags: uint },
    {},
  ),
  nodeSetMemoryParameters: procedure(
    288,
    'NODE_SET_MEMORY_PARAMETERS',
    'write',
    { parameters: typedParameters(limits.manyParameters), flags: uint },
    {},
  ),
  nodeGetMemoryParameters: procedure(
    289,
    'NODE_GET_MEMORY_PARAMETERS',
    'read',
    { count: int, flags: uint },
    { parameters: typedParameters(limits.manyParameters), count: int },
  ),
  nodeGetCpuMap: procedure(
    293,
    'NODE_GET_CPU_MAP',
    'read',
    { needMap: bool, needOnline: bool, flags: uint },
    { cpuMap: opaque(limits.cpuMapBytes), online: uint, count: int },
  ),
  nodeGetFreePages: procedure(
    340,
    'NODE_GET_FREE_PAGES',
    'read',
    { pages: array(uint, limits.numaCells), startCell: int, cellCount: uint, flags: uint },
    { counts: array(uhyper, limits.numaCells) },
  ),
  nodeAllocPages: procedure(
    347,
    'NODE_ALLOC_PAGES',
    'write',
    {
      pageSizes: array(uint, limits.numaCells),
      pageCounts: array(uhyper, limits.numaCells),
      startCell: int,
      cellCount: uint,
      flags: uint,
    },
    { count: int },
  ),
  nodeGetSevInfo: procedure(
    395,
    'NODE_GET_SEV_INFO',
    'write',
    { count: int, flags: uint },
    { parameters: typedParameters(limits.manyParameters), count: int },
  ),
}
