{
  'variables': {
    # Says what to install when the headers of liblxc are missing; prints nothing otherwise.
    'lxc_headers': '<!(node scripts/require-lxc-headers.mjs)'
  },
  'target_defaults': {
    'cflags_cc': ['-std=c++17', '-Wall', '-Wextra', '-Wno-unused-parameter'],
    'defines': ['_GNU_SOURCE'],
    'include_dirs': ['src'],
    'libraries': ['-ldl']
  },
  'targets': [
    {
      'target_name': 'covirt_lxc',
      'sources': [
        'src/addon.cc',
        'src/calls.cc',
        'src/child.cc',
        'src/console.cc',
        'src/container.cc',
        'src/fd.cc',
        'src/liblxc.cc',
        'src/loop-handle.cc',
        'src/pidfd.cc',
        'src/probe.cc',
        'src/reply.cc',
        'src/send-fd.cc',
        'src/unix-socket.cc'
      ],
      'include_dirs': ["<!(node -p \"require('node-addon-api').include_dir\")"],
      'defines': ['NAPI_VERSION=8', 'NODE_ADDON_API_CPP_EXCEPTIONS', 'NODE_ADDON_API_DISABLE_DEPRECATED'],
      'cflags_cc!': ['-fno-exceptions'],
      'cflags_cc': ['-fexceptions'],
      # A call into a monitor that never answers outlives its environment: the code must stay mapped.
      'ldflags': ['-Wl,-z,nodelete']
    },
    {
      'target_name': 'covirt-lxc',
      'type': 'executable',
      'sources': [
        'src/liblxc.cc',
        'src/program/attach.cc',
        'src/program/copy-attributes.cc',
        'src/program/copy-data.cc',
        'src/program/copy-links.cc',
        'src/program/copy-target.cc',
        'src/program/copy-walk.cc',
        'src/program/copy.cc',
        'src/program/enter.cc',
        'src/program/files.cc',
        'src/program/filter.cc',
        'src/program/gate.cc',
        'src/program/hold.cc',
        'src/program/id-map.cc',
        'src/program/interfaces.cc',
        'src/program/json.cc',
        'src/program/link-addresses.cc',
        'src/program/link.cc',
        'src/program/log.cc',
        'src/program/loop-device.cc',
        'src/program/main.cc',
        'src/program/mapped-ids.cc',
        'src/program/member.cc',
        'src/program/mount-calls.cc',
        'src/program/mount.cc',
        'src/program/netlink.cc',
        'src/program/options.cc',
        'src/program/own-groups.cc',
        'src/program/parent-of.cc',
        'src/program/remove-tree.cc',
        'src/program/remove.cc',
        'src/program/root.cc',
        'src/program/routes.cc',
        'src/program/shell-word.cc',
        'src/program/stage.cc',
        'src/program/start.cc',
        'src/program/supervisor.cc',
        'src/program/terminal.cc',
        'src/send-fd.cc'
      ],
      # Each container's monitor is a fork of this program: nothing of the C++ runtime may stay in it.
      'cflags_cc': ['-fno-exceptions', '-fno-rtti', '-Os', '-fno-asynchronous-unwind-tables'],
      'ldflags': ['-static-libgcc', '-Wl,--as-needed', '-Wl,-z,relro,-z,now', '-s']
    }
  ]
}
