import { abortError, type ErrorCode, isVirError, messageOf, VirError } from '@covirt/core'
import { LxcError } from './native.js'

/** What liblxc writes where something is missing on the host, and how to mend it. The first match counts. */
const hints: readonly (readonly [pattern: RegExp, hint: string])[] = [
  [
    /let its owners be mapped/,
    'Put the directory on ext4, xfs, btrfs or the like, or make the container <privileged/>: see docs/drivers.md',
  ],
  [
    /grant it x access/,
    "A container's users have to get past the directories above the driver's: chmod a+x, or use another root",
  ],
  [
    /lxc\.hook\.start-host/,
    "Its <route>s are set there: a gateway has to be within reach of the link's addresses",
  ],
  [/"cpuset\.cpus"/, 'See that the host has all processors of <vcpu cpuset=…>: lscpu'],
  [/Sync wait failure/, 'It may have been killed before its init ran: see that <memory> is enough for it'],
  [/cgroup/i, 'See which control groups the host has: lxc-checkconfig'],
  [/seccomp/i, 'The seccomp profile of liblxc may be damaged: reinstall lxc'],
  [/apparmor/i, "Install AppArmor's profiles for LXC, or define <seclabel type='none'/>"],
  [/veth|netdev|network|bridge/i, 'See that the bridge exists and that the names of links are free: ip link'],
  [/No space left|ENOSPC/i, 'Free some disk space'],
]

const codes: Readonly<Record<string, ErrorCode>> = {
  ESRCH: 'OPERATION_INVALID',
  ETIMEDOUT: 'OPERATION_TIMEOUT',
  EBUSY: 'RESOURCE_BUSY',
  ENOMEM: 'NO_MEMORY',
  EPERM: 'OPERATION_DENIED',
  EACCES: 'OPERATION_DENIED',
  E2BIG: 'INVALID_ARG',
}

/**
 * The one place where errors of liblxc become covirt's. `doing` says what failed, as in 'starting web'. Errors
 * that are covirt's already are left as they are; after `signal` has fired, all are its {@link abortError}.
 */
export function toVirError(error: unknown, doing: string, signal?: AbortSignal | undefined): VirError {
  if (isVirError(error)) return error
  if (signal?.aborted) return abortError(signal)
  const log = error instanceof LxcError ? error.log : []
  const reason = log[0] ?? messageOf(error)
  const code =
    (error instanceof LxcError && error.code !== undefined && codes[error.code]) || 'OPERATION_FAILED'
  const text = [reason, ...log].join('\n')
  const hint = hints.find(([pattern]) => pattern.test(text))?.[1]
  return new VirError(code, `${doing} failed: ${reason}`, {
    domain: 'LXC',
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  })
}

/** A start that failed since the container's process 1, `init`, ran for no time at all. */
export function endedAtOnce(
  { name, init }: { readonly name: string; readonly init: string | undefined },
  cause: LxcError,
): VirError {
  const [reason] = cause.log
  const ended = `The init of ${name}, ${init}, ended as soon as it was started`
  return new VirError('OPERATION_FAILED', reason === undefined ? ended : `${ended}: ${reason}`, {
    domain: 'LXC',
    hint: 'Its last words are in the log of the domain',
    cause,
  })
}

/** A start that failed since somebody else has started the container before. */
export function alreadyRuns(name: string): VirError {
  return new VirError('OPERATION_FAILED', `A container of ${name} is running already`, {
    domain: 'LXC',
    hint: 'Something else has started it; stop it with lxc-stop',
  })
}
