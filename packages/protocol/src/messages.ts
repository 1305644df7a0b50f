import { limits } from './limits.js'
import { message } from './procedure.js'
import { domain, network, nodeDevice, secret, storagePool, typedParameters } from './values/index.js'
import { array, type Fields, hyper, int, optional, string, struct, uhyper, uint } from './xdr/index.js'

const address = struct({ family: int, node: string, service: string })
const identity = struct({ type: string, name: string })

const bodies = {
  lifecycle: { domain, event: int, detail: int },
  reboot: { domain },
  rtcChange: { domain, offset: hyper },
  watchdog: { domain, action: int },
  ioError: { domain, sourcePath: string, alias: string, action: int },
  graphics: {
    domain,
    phase: int,
    local: address,
    remote: address,
    authScheme: string,
    subject: array(identity, limits.identityParameters),
  },
  ioErrorReason: { domain, sourcePath: string, alias: string, action: int, reason: string },
  controlError: { domain },
  blockJob: { domain, path: string, type: int, status: int },
  diskChange: { domain, oldPath: optional(string), newPath: optional(string), alias: string, reason: int },
  trayChange: { domain, alias: string, reason: int },
  pmWakeup: { domain },
  pmSuspend: { domain },
  balloonChange: { domain, actualKib: uhyper },
  pmSuspendDisk: { domain },
  deviceRemoved: { domain, alias: string },
} as const satisfies Record<string, Fields>

const callbackId = { callbackId: int }
const callbackIdAndReason = { callbackId: int, reason: int }

/**
 * Events of domains as clients get them that know no callback ids: one registration for each kind of event,
 * all domains, and the client filters.
 */
export const legacyDomainMessages = {
  lifecycle: message(107, 'DOMAIN_EVENT_LIFECYCLE', bodies.lifecycle),
  reboot: message(169, 'DOMAIN_EVENT_REBOOT', bodies.reboot),
  rtcChange: message(170, 'DOMAIN_EVENT_RTC_CHANGE', bodies.rtcChange),
  watchdog: message(171, 'DOMAIN_EVENT_WATCHDOG', bodies.watchdog),
  ioError: message(172, 'DOMAIN_EVENT_IO_ERROR', bodies.ioError),
  graphics: message(173, 'DOMAIN_EVENT_GRAPHICS', bodies.graphics),
  ioErrorReason: message(195, 'DOMAIN_EVENT_IO_ERROR_REASON', bodies.ioErrorReason),
  controlError: message(224, 'DOMAIN_EVENT_CONTROL_ERROR', bodies.controlError),
  blockJob: message(241, 'DOMAIN_EVENT_BLOCK_JOB', bodies.blockJob),
  diskChange: message(248, 'DOMAIN_EVENT_DISK_CHANGE', bodies.diskChange),
  trayChange: message(268, 'DOMAIN_EVENT_TRAY_CHANGE', bodies.trayChange),
  pmWakeup: message(269, 'DOMAIN_EVENT_PMWAKEUP', bodies.pmWakeup),
  pmSuspend: message(270, 'DOMAIN_EVENT_PMSUSPEND', bodies.pmSuspend),
  balloonChange: message(276, 'DOMAIN_EVENT_BALLOON_CHANGE', bodies.balloonChange),
  pmSuspendDisk: message(292, 'DOMAIN_EVENT_PMSUSPEND_DISK', bodies.pmSuspendDisk),
  deviceRemoved: message(311, 'DOMAIN_EVENT_DEVICE_REMOVED', bodies.deviceRemoved),
}

/** Events of domains with the id of the registration that they are for. */
export const domainMessages = {
  lifecycle: message(318, 'DOMAIN_EVENT_CALLBACK_LIFECYCLE', { ...callbackId, ...bodies.lifecycle }),
  reboot: message(319, 'DOMAIN_EVENT_CALLBACK_REBOOT', { ...callbackId, ...bodies.reboot }),
  rtcChange: message(320, 'DOMAIN_EVENT_CALLBACK_RTC_CHANGE', { ...callbackId, ...bodies.rtcChange }),
  watchdog: message(321, 'DOMAIN_EVENT_CALLBACK_WATCHDOG', { ...callbackId, ...bodies.watchdog }),
  ioError: message(322, 'DOMAIN_EVENT_CALLBACK_IO_ERROR', { ...callbackId, ...bodies.ioError }),
  graphics: message(323, 'DOMAIN_EVENT_CALLBACK_GRAPHICS', { ...callbackId, ...bodies.graphics }),
  ioErrorReason: message(324, 'DOMAIN_EVENT_CALLBACK_IO_ERROR_REASON', {
    ...callbackId,
    ...bodies.ioErrorReason,
  }),
  controlError: message(325, 'DOMAIN_EVENT_CALLBACK_CONTROL_ERROR', {
    ...callbackId,
    ...bodies.controlError,
  }),
  blockJob: message(326, 'DOMAIN_EVENT_CALLBACK_BLOCK_JOB', { ...callbackId, ...bodies.blockJob }),
  diskChange: message(327, 'DOMAIN_EVENT_CALLBACK_DISK_CHANGE', { ...callbackId, ...bodies.diskChange }),
  trayChange: message(328, 'DOMAIN_EVENT_CALLBACK_TRAY_CHANGE', { ...callbackId, ...bodies.trayChange }),
  pmWakeup: message(329, 'DOMAIN_EVENT_CALLBACK_PMWAKEUP', { ...callbackIdAndReason, ...bodies.pmWakeup }),
  pmSuspend: message(330, 'DOMAIN_EVENT_CALLBACK_PMSUSPEND', {
    ...callbackIdAndReason,
    ...bodies.pmSuspend,
  }),
  balloonChange: message(331, 'DOMAIN_EVENT_CALLBACK_BALLOON_CHANGE', {
    ...callbackId,
    ...bodies.balloonChange,
  }),
  pmSuspendDisk: message(332, 'DOMAIN_EVENT_CALLBACK_PMSUSPEND_DISK', {
    ...callbackIdAndReason,
    ...bodies.pmSuspendDisk,
  }),
  deviceRemoved: message(333, 'DOMAIN_EVENT_CALLBACK_DEVICE_REMOVED', {
    ...callbackId,
    ...bodies.deviceRemoved,
  }),
  blockJob2: message(339, 'DOMAIN_EVENT_BLOCK_JOB_2', {
    ...callbackId,
    domain,
    disk: string,
    type: int,
    status: int,
  }),
  tunable: message(346, 'DOMAIN_EVENT_CALLBACK_TUNABLE', {
    ...callbackId,
    domain,
    parameters: typedParameters(limits.guestItems),
  }),
  agentLifecycle: message(348, 'DOMAIN_EVENT_CALLBACK_AGENT_LIFECYCLE', {
    ...callbackId,
    domain,
    state: int,
    reason: int,
  }),
  deviceAdded: message(354, 'DOMAIN_EVENT_CALLBACK_DEVICE_ADDED', { ...callbackId, domain, alias: string }),
  migrationIteration: message(359, 'DOMAIN_EVENT_CALLBACK_MIGRATION_ITERATION', {
    ...callbackId,
    domain,
    iteration: int,
  }),
  jobCompleted: message(363, 'DOMAIN_EVENT_CALLBACK_JOB_COMPLETED', {
    ...callbackId,
    domain,
    parameters: typedParameters(limits.manyParameters),
  }),
  deviceRemovalFailed: message(367, 'DOMAIN_EVENT_CALLBACK_DEVICE_REMOVAL_FAILED', {
    ...callbackId,
    domain,
    alias: string,
  }),
  metadataChange: message(379, 'DOMAIN_EVENT_CALLBACK_METADATA_CHANGE', {
    ...callbackId,
    domain,
    type: int,
    namespace: optional(string),
  }),
  blockThreshold: message(385, 'DOMAIN_EVENT_BLOCK_THRESHOLD', {
    ...callbackId,
    domain,
    device: string,
    path: optional(string),
    threshold: uhyper,
    excess: uhyper,
  }),
  memoryFailure: message(423, 'DOMAIN_EVENT_MEMORY_FAILURE', {
    ...callbackId,
    domain,
    recipient: int,
    action: int,
    flags: uint,
  }),
  memoryDeviceSizeChange: message(438, 'DOMAIN_EVENT_MEMORY_DEVICE_SIZE_CHANGE', {
    ...callbackId,
    domain,
    alias: string,
    sizeKib: uhyper,
  }),
}

/** The name of a kind of event that domains have. */
export type DomainMessageName = keyof typeof domainMessages

/** The kinds in libvirt's order: the position is the event id by which a client registers for it. */
export const domainEventIds = [
  'lifecycle',
  'reboot',
  'rtcChange',
  'watchdog',
  'ioError',
  'graphics',
  'ioErrorReason',
  'controlError',
  'blockJob',
  'diskChange',
  'trayChange',
  'pmWakeup',
  'pmSuspend',
  'balloonChange',
  'pmSuspendDisk',
  'deviceRemoved',
  'blockJob2',
  'tunable',
  'agentLifecycle',
  'deviceAdded',
  'migrationIteration',
  'jobCompleted',
  'deviceRemovalFailed',
  'metadataChange',
  'blockThreshold',
  'memoryFailure',
  'memoryDeviceSizeChange',
] as const satisfies readonly DomainMessageName[]

/** What is told of other things than domains. */
export const otherMessages = {
  networkLifecycle: message(315, 'NETWORK_EVENT_LIFECYCLE', {
    ...callbackId,
    network,
    event: int,
    detail: int,
  }),
  connectionClosed: message(362, 'CONNECT_EVENT_CONNECTION_CLOSED', { reason: int }),
  poolLifecycle: message(370, 'STORAGE_POOL_EVENT_LIFECYCLE', {
    ...callbackId,
    pool: storagePool,
    event: int,
    detail: int,
  }),
  poolRefresh: message(373, 'STORAGE_POOL_EVENT_REFRESH', { ...callbackId, pool: storagePool }),
  nodeDeviceLifecycle: message(376, 'NODE_DEVICE_EVENT_LIFECYCLE', {
    ...callbackId,
    device: nodeDevice,
    event: int,
    detail: int,
  }),
  nodeDeviceUpdate: message(377, 'NODE_DEVICE_EVENT_UPDATE', { ...callbackId, device: nodeDevice }),
  secretLifecycle: message(382, 'SECRET_EVENT_LIFECYCLE', { ...callbackId, secret, event: int, detail: int }),
  secretValueChanged: message(383, 'SECRET_EVENT_VALUE_CHANGED', { ...callbackId, secret }),
}
