import { binding } from './binding.js'

/** Whether liblxc can be used here, and which one it is. */
export type LxcProbe =
  | { readonly available: false /** A sentence for a person. */; readonly reason: string }
  | {
      readonly available: true
      readonly version: string
      /** The file that was opened. */
      readonly library: string
      /** Those of liblxc's API extensions that covirt knows and this liblxc has (`lxc_has_api_extension`). */
      readonly extensions: readonly string[]
    }

/** Names from liblxc's list of extensions; each may be asked for, none is needed by this package. */
const extensions = [
  'lxc_log',
  'lxc_config_item_is_supported',
  'console_log',
  'reboot2',
  'mount_injection',
  'mount_injection_file',
  'cgroup_relative',
  'cgroup_advanced_isolation',
  'cgroup2',
  'cgroup2_devices',
  'cgroup2_auto_mounting',
  'seccomp_allow_nesting',
  'seccomp_notify',
  'seccomp_notify_fd_active',
  'seccomp_proxy_send_notify_fd',
  'seccomp_allow_deny_syntax',
  'network_bridge_vlan',
  'network_ipvlan',
  'network_l2proxy',
  'network_veth_router',
  'network_veth_routes',
  'network_gateway_device_route',
  'network_phys_macvlan_mtu',
  'pidfd',
  'devpts_fd',
  'time_namespace',
  'idmapped_mounts',
  'idmapped_mounts_v2',
  'core_scheduling',
  'environment_runtime_hooks',
]

/** Opens liblxc on first use. Never throws; asks again each time, so that an installation is noticed. */
export function probeLxc(): LxcProbe {
  try {
    const result = binding().probe(extensions)
    if (result.available) return result
    return { available: false, reason: `${result.reason} (Debian and Ubuntu: apt install lxc)` }
  } catch (error) {
    return { available: false, reason: error instanceof Error ? error.message : String(error) }
  }
}
