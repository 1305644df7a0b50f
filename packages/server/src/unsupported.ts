import { VirError } from '@covirt/core'
import type { Procedure } from '@covirt/protocol'

/** Why procedures have no handler, by their names; the first that fits counts. */
const reasons: readonly (readonly [RegExp, string])[] = [
  [/^DOMAIN_MIGRATE_/, 'no driver moves guests to other hosts'],
  [/^AUTH_/, 'clients are known by their sockets, certificates and passwords'],
  [/SET_IDENTITY$/, 'nobody speaks for others here'],
  [/(^|_)NETWORK(_|S$)/, 'there are no virtual networks'],
  [/NWFILTER/, 'there are no network filters'],
  [/^STORAGE_|STORAGE_POOL/, 'there is no storage'],
  [/SECRET/, 'there are no secrets'],
  [/^NODE_DEVICE_/, 'devices of the host are not known'],
  [/^INTERFACE_/, 'interfaces of the host are not known'],
  [/^NODE_|SYSINFO$/, 'drivers tell no more of the host'],
  [/CPU(_MODEL_NAMES)?$/, 'drivers compare no models of processors'],
  [/CHECKPOINT|BACKUP/, 'no driver has checkpoints'],
  [/_(SAVE|RESTORE|MANAGED_SAVE|CORE_DUMP)(_|$)/, 'no driver saves guests in this way'],
  [/_BLOCK_|_DISK_ERRORS$/, 'no driver changes disks in use'],
  [/SECURITY/, 'drivers give guests no labels'],
  [/OPEN_GRAPHICS$/, 'no open files are taken from clients'],
  [/WITH_FILES$|FD_ASSOCIATE$/, 'guests take over no open files'],
  [/OPEN_CHANNEL$/, 'drivers open no channels of guests'],
  [/_PM_/, 'drivers do this to no guest'],
  [
    /_(SET|PIN|ADD|DEL)_|_GET_\w+_(PARAMETERS|PIN_INFO)$|IOTHREAD|MEMORY_STATS_PERIOD/,
    'drivers do not change this',
  ],
  [/PERF_EVENTS|DIRTY_RATE|MEMORY_PEEK|ABORT_JOB/, 'drivers do not tell'],
  [
    /FSINFO|FSTRIM|FSFREEZE|FSTHAW|GUEST_|AGENT_|SSH_KEYS|GET_HOSTNAME|PROCESS_SIGNAL/,
    'send the agent its own commands instead',
  ],
  [/MONITOR|^DOMAIN_ATTACH$/, 'the monitor of QEMU belongs to its driver'],
  [/OPEN_NAMESPACE$/, 'programs are run in containers through the role exec'],
]

/** Why `procedure` has no handler, where it has none; `undefined` where nobody has thought about it. */
export function reasonWithout({ name }: Pick<Procedure, 'name'>): string | undefined {
  return reasons.find(([pattern]) => pattern.test(name))?.[1]
}

/** The answer to a call that nobody handles; clients of libvirt do without on code 3 alone. */
export function unsupported(procedure: Pick<Procedure, 'name'>): VirError {
  const reason = reasonWithout(procedure)
  return new VirError('NO_SUPPORT', `${procedure.name} is not supported${reason ? `: ${reason}` : ''}`, {
    domain: 'RPC',
  })
}
