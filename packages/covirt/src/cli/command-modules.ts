import type { Command } from 'commander'
import type { Select } from '../commands/select.js'

/** Commands that are loaded together. */
interface CommandModule {
  /** All that it adds; none where it is about all other commands. */
  readonly verbs: readonly string[]
  readonly load: () => Promise<(program: Command, select: Select) => void>
}

/** All commands under their headings, in the order in which help shows them. */
export const commandGroups: Readonly<Record<string, readonly CommandModule[]>> = {
  'Domains:': [
    {
      verbs: ['list'],
      load: async () => (await import('../commands/list.js')).addListCommand,
    },
    {
      verbs: ['define', 'undefine', 'edit', 'domrename', 'dumpxml', 'autostart'],
      load: async () => (await import('../commands/definition.js')).addDefinitionCommands,
    },
    {
      verbs: ['desc'],
      load: async () => (await import('../commands/description.js')).addDescriptionCommand,
    },
    {
      verbs: ['domxml-from-native', 'domxml-to-native'],
      load: async () => (await import('../commands/native-config.js')).addNativeConfigCommands,
    },
    {
      verbs: ['create', 'start', 'shutdown', 'reboot', 'reset', 'destroy', 'suspend', 'resume'],
      load: async () => (await import('../commands/lifecycle.js')).addLifecycleCommands,
    },
    {
      verbs: ['dominfo', 'domstate', 'domid', 'domuuid', 'domname'],
      load: async () => (await import('../commands/domain-info.js')).addDomainInfoCommands,
    },
  ],
  'Guests:': [
    {
      verbs: ['console', 'event', 'qemu-agent-command'],
      load: async () => (await import('../commands/guest.js')).addGuestCommands,
    },
    {
      verbs: ['exec', 'shell'],
      load: async () => (await import('../commands/programs.js')).addProgramCommands,
    },
    {
      verbs: ['ps', 'top', 'cp', 'domifaddr'],
      load: async () => (await import('../commands/inside.js')).addInsideCommands,
    },
    {
      verbs: ['create-container', 'clone'],
      load: async () => (await import('../commands/container.js')).addContainerCommands,
    },
  ],
  'Snapshots:': [
    {
      verbs: [
        'snapshot-create-as',
        'snapshot-create',
        'snapshot-list',
        'snapshot-dumpxml',
        'snapshot-revert',
        'snapshot-delete',
      ],
      load: async () => (await import('../commands/snapshot.js')).addSnapshotCommands,
    },
    {
      verbs: ['managedsave', 'managedsave-remove', 'save', 'restore'],
      load: async () => (await import('../commands/saved-state.js')).addSavedStateCommands,
    },
  ],
  'Devices:': [
    {
      verbs: ['screenshot', 'domdisplay', 'vncdisplay', 'send-key', 'inject-nmi', 'domtime'],
      load: async () => (await import('../commands/screen.js')).addScreenCommands,
    },
    {
      verbs: ['domiflist', 'domblklist'],
      load: async () => (await import('../commands/device-lists.js')).addDeviceListCommands,
    },
    {
      verbs: ['attach-device', 'detach-device', 'update-device', 'detach-device-alias'],
      load: async () => (await import('../commands/devices.js')).addDeviceCommands,
    },
    {
      verbs: ['attach-disk', 'detach-disk'],
      load: async () => (await import('../commands/disks.js')).addDiskCommands,
    },
    {
      verbs: ['attach-interface', 'detach-interface'],
      load: async () => (await import('../commands/interfaces.js')).addInterfaceCommands,
    },
    {
      verbs: ['setmem', 'setmaxmem', 'setvcpus', 'vcpucount', 'schedinfo', 'memtune', 'blkiotune'],
      load: async () => (await import('../commands/tuning.js')).addTuningCommands,
    },
    {
      verbs: ['domblkstat', 'domblkinfo', 'domifstat', 'dommemstat', 'vcpuinfo', 'domstats'],
      load: async () => (await import('../commands/statistics.js')).addStatisticsCommands,
    },
  ],
  'Host:': [
    {
      verbs: ['nodeinfo', 'capabilities', 'uri', 'hostname', 'version', 'drivers'],
      load: async () => (await import('../commands/host.js')).addHostCommands,
    },
    {
      verbs: ['plan', 'up', 'down', 'explain'],
      load: async () => (await import('../commands/plans.js')).addPlanCommands,
    },
    {
      verbs: ['install-units'],
      load: async () => (await import('../commands/units.js')).addUnitCommands,
    },
  ],
  'Shell:': [
    {
      verbs: [],
      load: async () => (await import('../commands/shell.js')).addShellCommands,
    },
  ],
}
