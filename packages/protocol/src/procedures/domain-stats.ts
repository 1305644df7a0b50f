import { limits } from '../limits.js'
import { procedure } from '../procedure.js'
import { characters, domain, typedParameters } from '../values/index.js'
import { array, bool, hyper, int, opaque, string, struct, uhyper, uint } from '../xdr/index.js'

const memoryStatistic = struct({ tag: int, value: uhyper })

const securityLabel = struct({ label: characters(limits.securityLabelChars), enforcing: bool })

const statsRecord = struct({ domain, parameters: typedParameters(limits.domainStats) })

/** What a guest is doing and what it uses. */
export const domainStatsProcedures = {
  domainGetInfo: procedure(
    16,
    'DOMAIN_GET_INFO',
    'read',
    { domain },
    { state: uint, maxMemoryKib: uhyper, memoryKib: uhyper, vcpus: uint, cpuTimeNs: uhyper },
  ),
  domainBlockStats: procedure(
    64,
    'DOMAIN_BLOCK_STATS',
    'read',
    { domain, path: string },
    { readRequests: hyper, readBytes: hyper, writeRequests: hyper, writeBytes: hyper, errors: hyper },
  ),
  domainInterfaceStats: procedure(
    65,
    'DOMAIN_INTERFACE_STATS',
    'read',
    { domain, device: string },
    {
      rxBytes: hyper,
      rxPackets: hyper,
      rxErrors: hyper,
      rxDropped: hyper,
      txBytes: hyper,
      txPackets: hyper,
      txErrors: hyper,
      txDropped: hyper,
    },
  ),
  domainBlockPeek: procedure(
    103,
    'DOMAIN_BLOCK_PEEK',
    'write',
    { domain, path: string, offset: uhyper, size: uint, flags: uint },
    { buffer: opaque(limits.peekBytes) },
  ),
  domainMemoryPeek: procedure(
    104,
    'DOMAIN_MEMORY_PEEK',
    'write',
    { domain, offset: uhyper, size: uint, flags: uint },
    { buffer: opaque(limits.peekBytes) },
  ),
  domainGetSecurityLabel: procedure(
    121,
    'DOMAIN_GET_SECURITY_LABEL',
    'read',
    { domain },
    { label: characters(limits.securityLabelChars), enforcing: bool },
  ),
  domainMemoryStats: procedure(
    159,
    'DOMAIN_MEMORY_STATS',
    'read',
    { domain, max: uint, flags: uint },
    { stats: array(memoryStatistic, limits.memoryStats) },
  ),
  domainGetJobInfo: procedure(
    163,
    'DOMAIN_GET_JOB_INFO',
    'read',
    { domain },
    {
      type: int,
      timeElapsedMs: uhyper,
      timeRemainingMs: uhyper,
      dataTotal: uhyper,
      dataProcessed: uhyper,
      dataRemaining: uhyper,
      memoryTotal: uhyper,
      memoryProcessed: uhyper,
      memoryRemaining: uhyper,
      fileTotal: uhyper,
      fileProcessed: uhyper,
      fileRemaining: uhyper,
    },
  ),
  domainAbortJob: procedure(164, 'DOMAIN_ABORT_JOB', 'write', { domain }, {}),
  domainGetBlockInfo: procedure(
    194,
    'DOMAIN_GET_BLOCK_INFO',
    'read',
    { domain, path: string, flags: uint },
    { allocation: uhyper, capacity: uhyper, physical: uhyper },
  ),
  domainGetState: procedure(
    212,
    'DOMAIN_GET_STATE',
    'read',
    { domain, flags: uint },
    { state: int, reason: int },
  ),
  domainGetControlInfo: procedure(
    229,
    'DOMAIN_GET_CONTROL_INFO',
    'read',
    { domain, flags: uint },
    { state: uint, details: uint, stateTimeMs: uhyper },
  ),
  domainBlockStatsFlags: procedure(
    243,
    'DOMAIN_BLOCK_STATS_FLAGS',
    'read',
    { domain, path: string, count: int, flags: uint },
    { parameters: typedParameters(limits.parameters), count: int },
  ),
  domainGetCpuStats: procedure(
    262,
    'DOMAIN_GET_CPU_STATS',
    'read',
    { domain, count: uint, startCpu: int, cpuCount: uint, flags: uint },
    { parameters: typedParameters(limits.cpuStats), count: int },
  ),
  domainGetSecurityLabelList: procedure(
    278,
    'DOMAIN_GET_SECURITY_LABEL_LIST',
    'read',
    { domain },
    { labels: array(securityLabel, limits.securityLabels), count: int },
  ),
  domainGetJobStats: procedure(
    298,
    'DOMAIN_GET_JOB_STATS',
    'read',
    { domain, flags: uint },
    { type: int, parameters: typedParameters(limits.manyParameters) },
  ),
  domainSetMemoryStatsPeriod: procedure(
    308,
    'DOMAIN_SET_MEMORY_STATS_PERIOD',
    'write',
    { domain, period: int, flags: uint },
    {},
  ),
  connectGetAllDomainStats: procedure(
    344,
    'CONNECT_GET_ALL_DOMAIN_STATS',
    'read',
    { domains: array(domain, limits.objects), stats: uint, flags: uint },
    { records: array(statsRecord, limits.objects) },
  ),
  domainGetPerfEvents: procedure(
    365,
    'DOMAIN_GET_PERF_EVENTS',
    'read',
    { domain, flags: uint },
    { parameters: typedParameters(limits.manyParameters) },
  ),
  domainSetPerfEvents: procedure(
    366,
    'DOMAIN_SET_PERF_EVENTS',
    'write',
    { domain, parameters: typedParameters(limits.manyParameters), flags: uint },
    {},
  ),
  domainGetLaunchSecurityInfo: procedure(
    396,
    'DOMAIN_GET_LAUNCH_SECURITY_INFO',
    'read',
    { domain, flags: uint },
    { parameters: typedParameters(limits.manyParameters) },
  ),
  domainGetMessages: procedure(
    426,
    'DOMAIN_GET_MESSAGES',
    'read',
    { domain, flags: uint },
    { messages: array(string, limits.guestItems) },
  ),
  domainStartDirtyRateCalc: procedure(
    427,
    'DOMAIN_START_DIRTY_RATE_CALC',
    'write',
    { domain, seconds: int, flags: uint },
    {},
  ),
  domainSetLaunchSecurityState: procedure(
    439,
    'DOMAIN_SET_LAUNCH_SECURITY_STATE',
    'write',
    { domain, parameters: typedParameters(limits.manyParameters), flags: uint },
    {},
  ),
  domainAbortJobFlags: procedure(442, 'DOMAIN_ABORT_JOB_FLAGS', 'write', { domain, flags: uint }, {}),
}
