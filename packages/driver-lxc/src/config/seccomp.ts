import type { DomainXml } from '@covirt/xml'
import { containerOptions } from './container-options.js'

/**
 * System calls that no container needs: they reach around namespaces, or into parts of the kernel that are the host's
 * alone and that have been attacked most.
 */
const refused = [
  'acct',
  'add_key',
  'bpf',
  'delete_module',
  'finit_module',
  'init_module',
  'ioperm',
  'iopl',
  'kcmp',
  'kexec_file_load',
  'kexec_load',
  'keyctl',
  'lookup_dcookie',
  'open_by_handle_at',
  'perf_event_open',
  'quotactl',
  'quotactl_fd',
  'request_key',
  'swapoff',
  'swapon',
  'userfaultfd',
  'uselib',
  'vm86',
  'vm86old',
]

/** What an init does and a program has no need to: file systems, namespaces, other processes' memory. */
const refusedToApplications = [
  'fsconfig',
  'fsmount',
  'fsopen',
  'fspick',
  'io_uring_enter',
  'io_uring_register',
  'io_uring_setup',
  'mount',
  'mount_setattr',
  'move_mount',
  'open_tree',
  'pivot_root',
  'process_vm_readv',
  'process_vm_writev',
  'ptrace',
  'setns',
  'umount2',
  'unshare',
]

const eperm = 1
/** What the C library takes for a kernel without clone3, whose arguments a filter cannot see. */
const enosys = 38
const cloneNewUser = 0x1000_0000

/** The profile of a container, in liblxc's language (lxc.container.conf(5), seccomp). */
export function seccompProfile(document: DomainXml): string {
  const isApplication = containerOptions(document).preset === 'application'
  const names = [...refused, ...(isApplication ? refusedToApplications : [])].sort()
  return [
    '2',
    'denylist',
    'reject_force_umount',
    '[all]',
    ...names.map((name) => `${name} errno ${eperm}`),
    ...(isApplication
      ? [
          `clone errno ${eperm} [0,${cloneNewUser},SCMP_CMP_MASKED_EQ,${cloneNewUser}]`,
          `clone3 errno ${enosys}`,
        ]
      : []),
    '',
  ].join('\n')
}
